"""What is true of the system under test: pytest files, `test_<what_is_true>.py`, by area.

card/    the five attacks of the card, on a thousand meters: the default run
radio/   attacks and limits on the air, in small worlds
wan/     between gateway and portal
field/   real telegrams of real meters
worlds/  the worlds, as TOML
"""
