"""What meters measure: formulas, heat (the tables), rooms, weather, water_draw, load_profile."""
