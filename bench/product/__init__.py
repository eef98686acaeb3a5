"""A portal that is not ours under attack: `./wmbench attack portal NAME`.

portal_meters   meters, keys and telegrams that a product is to know
portal_stand    a product at work: what it was given, what it stored, and what was seen between
portal_suite    every row in every mode that it applies to
rows/           one file an attack
"""
