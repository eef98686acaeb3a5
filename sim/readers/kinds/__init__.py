"""Kinds of readers, one file each (KIND): where it listens, its settings, how to make it."""
