"""Byte layouts: frames, messages, values and columns; pure functions that open no file."""
