"""Propagation models for planners, one file each, found by folder: what a path loses on average, in dB (float64).

These answer `./wmbench size`; a world's air has its own whole-number form of P.1238 (sim/radio/propagation.py). Entry
into a building is no path: sim/radio/building_entry.py. Adding a model is adding a file.
"""
