"""One file an attack, found by folder. An attack knows only what its place in the world gives it.

attack   the record of an attack, its capabilities, the outcome it reports
reach    the handle an attack is given: exactly the methods its capabilities allow
survey   what anyone with a receiver learns by listening
forgery  what can be changed in a telegram without its key
sniff    read telegrams out of the air
replay   send a captured telegram again
jam      transmit over others
mitm     stand between gateway and broker
clone    use a gateway's stolen certificate
"""
