"""How a load is offered: one file a shape, found by folder (see port.SHAPES)."""
