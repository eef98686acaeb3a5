"""Two systems under the same attacks, side by side."""
