"""Keys that are not meters': what certifies, signs, seals and wraps."""
