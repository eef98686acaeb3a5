"""The world: everything between a radiator and a stored reading. No pytest in here, and no file but the history."""
