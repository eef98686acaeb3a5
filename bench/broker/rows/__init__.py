"""Rows of the attack on a broker, one file each (ROW): what it tries, how it decides, what mends it. See port."""
