"""A broker that is not ours under attack: `./wmbench attack broker HOST:PORT`."""
