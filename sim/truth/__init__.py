"""What really happened, held against what the portal stored.

differs         how a stored row differs from the telegram that was sent: every column, every type, many rows at once
stored_rows     rows of the portal's table as the columns that `differs` compares
ledger          the referee's notebook on disk: what was sent, received, spoken, and what was stored from it
air_tap         what it notes of the frames that receivers received, one by one or a window's at once
bills           units at the set date, as meters told them, against what would be billed
delivered_values  registers that a final receiver must have, by the rule in words
delivered_labels  gateway, tariff, time and signature of what it has
grid_operator_values  of these what a grid operator must have, from the houses and the meetings
released_values what left for each receiver, against what its contract lets leave
wired_values    of these what wired meters counted; radio_values: what radio meters of security profile C said
wrong_rows      rows in a gateway's own store of a meter, against what the meter counted
periods_in_words  registers of a period, by the rule in words
given_values    values that a real gateway gave, against what its meters sent
ground_truth    of a world: fills the ledger, judges each stored row once
"""
