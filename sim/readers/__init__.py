"""Readers: what a real gateway delivers, read as its maker wrote it."""
