"""One file an attack, found by folder. An attack knows only what its place in the world gives it."""
