"""Bills: set_date_units gives a meter's units at its set date."""
