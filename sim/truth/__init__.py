"""What really happened, held against what the portal stored.

ground_truth            of a world, telegram by telegram
ground_truth_columns    of a city, as columns
"""
