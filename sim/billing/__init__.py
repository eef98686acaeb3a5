"""Bills: set_date_units gives a meter's units at its set date; a plan's costs are what the whole system costs its
operator (plan_spec: the file; costs: one kind of price each; plan_cost: what they add up to)."""
