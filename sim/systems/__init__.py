"""Systems under test: what stands between the air and a bill, put together; one file a system, found by folder.

    port      what a world asks of a system, and what a system is built on
    keyless   the talk's: gateways without keys forward what they hear over a broker to a portal that holds the keys

A world's table [system] names its system (`kind`) and holds that system's own settings.
"""
