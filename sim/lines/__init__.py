"""What receivers and gateways print and send: one codec a format, read and written; see sim.lines.codecs."""
