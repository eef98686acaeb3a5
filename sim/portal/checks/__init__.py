"""Is a telegram new? One file a check, found by folder; the port is `sim.portal.check`.

The portal trusts its own clock and the meter's counter under a MAC. What a gateway says about time counts in `ts`,
which by definition compares the two, and in the lapse of `acc`: so without `age` a gateway that lies gets through.
"""
