"""The card's attacks on a gateway of the desk that holds the meters' keys and gives values: `./wmbench gateway card`.

There is no portal with keys behind such a gateway, so nothing of the portal's checks can judge: each cell is decided by
the values that come out, against what the meters had sent.
"""
