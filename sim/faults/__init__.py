"""Faults: one file a fault, found by folder. What each does, how it heals, and by what effect it is seen.

    port               what a fault is, and one fault in one world
    broker_down        no broker for a while
    broker_disk_full   its disk is full: it goes on, and has nothing when it is killed
    broker_full        its queue for the portal is full: it acknowledges and drops
    broker_killed      SIGKILL, and a start on what is on the disk
    broker_refuses     it answers every CONNECT with "not authorized"
    broker_slow        it works once in a while
    gateway_power_cut  a gateway is off; its open bundle is gone
    pipe_burst         water runs through meters and nobody draws it
    path_lost          the network leads a gateway nowhere
    portal_killed      the portal dies, and is opened on the files that it leaves
    portal_restarted   the portal is closed and opened again

A fault is given to a world: `world.fault(PowerCut(gateway=0, duration_s=1_200))`. One that nothing shows fails the run.
"""
