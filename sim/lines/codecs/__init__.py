"""One file a format, found by folder (see port): how its telegrams are read from a stream and written.

`recognise` in sim.lines.recognise finds the format of what somebody pasted.
"""
