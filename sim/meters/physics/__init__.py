"""What meters measure: heat (radiators), rooms, weather, water_draw."""
