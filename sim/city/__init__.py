"""The city: the same world as data, carried as arrays from one end to the other, for capacity planners."""
