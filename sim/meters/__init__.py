"""Meters: what they measure, what they send, and a fleet of them."""
