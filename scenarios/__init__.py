"""What is true of the system under test: pytest files, `test_<what_is_true>.py`, by area; `worlds/` as TOML."""
