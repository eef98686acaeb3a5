"""Systems under test: what stands between the air and a bill, put together; one file a system, found by folder.

A world's table [system] names its system (`kind`) and holds that system's own settings.
"""
