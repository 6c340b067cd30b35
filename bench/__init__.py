"""Measurements behind the claims: one file each, ratios and medians within one run, results with machine and commit."""
