"""History in, documents out. Nothing here runs a world or decides a verdict; it reads what a run left and shows it."""
