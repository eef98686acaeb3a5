"""What several attacks share.

survey            what anyone with a receiver learns by listening
forgery           what can be changed in a telegram without its key
jam_and_capture   between meters and their gateway: jam there, receive here
contended_sessions  what became of sessions that were fought for
sent_frames       frames that were sent, and what came of them at the portal
decoded_replays   what came of them at a gateway that decodes, by the values that it gave
at_the_broker     what came of messages that were given to the broker
identity_files    at the broker in a gateway's name, with the files of its identity or without
records_seen      what a tap sees of a TLS connection: its records, one by one
wire_watch        what can be read in a capture of IP packets, without any key
discriminant      what separates two kinds of things best, learned where it is known
roc_auc           how well a score separates two kinds of things
"""
