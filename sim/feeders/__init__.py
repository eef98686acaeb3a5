"""Feeders: how frames that end on the air reach a real gateway, as its own receiver would hand them over."""
