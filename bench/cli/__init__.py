"""The command line. `main` has the parser; one file a verb beside it."""
