"""The desk: real gateways, as an inventory says, started and fed and read."""
