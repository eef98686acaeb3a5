"""What every room of the world uses."""
