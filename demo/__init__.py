"""The demo: a real sweep of small networks on scikit-learn's digits, and the dashboard beside it."""
