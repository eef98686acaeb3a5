"""Fuzzing as an attack: whatever arrives, the program lives and genuine service is kept."""
