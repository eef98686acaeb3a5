"""Is a telegram new? One file a check, found by folder; the port is `sim.portal.check`. In the order of judgement:

    bind  it came through a gateway that the installer heard this meter with         stops the wormhole (L12)
    ahead its gateway does not claim to have heard it in the portal's future         keeps acc from lapsing (G02)
    jump  its counter under a MAC goes on as fast as time does                       stops a twin with the key (M02)
    mcr   its authenticated 32-bit counter was never seen                            stops replay in mode 7 (L08)
    acc   its 8-bit access number was not seen lately                                slows replay; wraps, is malleable
    ts    the time in its payload agrees with the gateway's clock, and is not used   stops replay in mode 5 (L08, L09)
    age   the time in its payload is not long ago by the portal's own clock          stops hold-back (L10, G02)

The portal trusts its own clock and the meter's counter under a MAC. What a gateway says about time counts in `ts`,
which by definition compares the two, and in the lapse of `acc`: so without `age` a gateway that lies gets through.
"""
