"""One file a format, found by folder (see port): how its telegrams are read from a stream and written.

    text     rtl_wmbus, rtl_433-json, rtl_433-csv, wmbusmeters, json, cul, fhem, esphome, plain, hex
    binary   im871a, amb8465, rc1180, wired

`recognise` in sim.lines.recognise finds the format of what somebody pasted.
"""
