"""The desk: real gateways, as an inventory says, started and fed and read.

inventory   inventory.toml: what is on the desk, as data
entries/    ready entries for known programs; an inventory takes one by `entry = "..."`
box         one gateway at work: its program, feeders, readers and broker
"""
