"""How a scenario is run and judged."""
