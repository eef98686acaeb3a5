"""Rows of the contract suite, one file each (ROW): what it needs, what it does, how it decides. See port."""
