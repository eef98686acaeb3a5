"""What really happened, held against what the portal stored."""
