"""./wmbench sweep: worlds varied as a TOML file says."""
