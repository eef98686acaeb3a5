"""Recorded telegrams: log reads a file of them, replayed_meters puts them on the air of a world."""
