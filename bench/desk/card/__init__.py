"""The card's attacks on a gateway of the desk that holds the meters' keys and gives values: `./wmbench gateway card`.

There is no portal with keys behind such a gateway, so nothing of the portal's checks can judge: each cell is decided by
the values that come out, against what the meters had sent.

meters     meters with a history: their telegrams in each security mode, and what is told of them
replays    card 2: a captured telegram again, later
changes    what can be changed or made up in a meter's name without its key
onlookers  cards 1, 4 and 5: who reads at the broker or in its files, who stands on the path, who has its certificate
evidence   what a cell was decided by, in a file of its own
table      all cells in order, their verdicts, and the answer as text and JSON
"""
