"""Doors that are fuzzed: each file holds a TARGET (see bench.fuzz.target)."""
