"""Defects that a verdict must notice: each is put in alone, and the scenario that speaks of it must not stay green.

    defect     what a defect is, and how it changes the running code
    defects/   the defects, one file for each part that they are put into
    plugin     pytest's door: `-p tests.referee.plugin --defect ID`
    play       all of them side by side, a table, and the names of those that stayed green
    scenarios/ small scenarios for statements that none of the bench's own makes

beyond_the_list.toml says of ten of them what they are; it was written before anything here.
"""
