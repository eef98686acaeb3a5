"""Systems under the same attacks, side by side."""
