"""Kinds of feeders, one file each (KIND): what it is on a desk, its settings, how to make it."""
