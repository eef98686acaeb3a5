"""Faults: one file a fault, found by folder. What each does, how it heals, and by what effect it is seen.

A fault is given to a world: `world.fault(PowerCut(gateway=0, duration_s=1_200))`. One that nothing shows fails the run.
"""
