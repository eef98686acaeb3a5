"""The path between a gateway and the broker, and attackers on it."""
