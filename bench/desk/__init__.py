"""Real gateways, for the command line."""
