"""Attacks on a product that decodes, one file each (ROW): what is sent, in which modes, what counts. See port."""
