"""Propagation models for planners, one file each, found by folder: what a path loses on average, in dB (float64).

    p1238        ITU-R P.1238, the older form: distance and floors, by kind of building
    p1238_11     ITU-R P.1238-11, the site-general form: distance, by kind of building and sight
    multi_wall   COST 231 multi-wall: free space, walls by weight, floors
    free_space   free space

These answer `./wmbench size`; a world's air has its own whole-number form of P.1238 (sim/radio/propagation.py). Entry
into a building is no path: sim/radio/building_entry.py. Adding a model is adding a file.
"""
