"""Work on many rows at once: the one door to the compiler, and what is compiled."""
