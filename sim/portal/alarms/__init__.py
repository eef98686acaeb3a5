"""Alarms: one file an alarm, found by folder; the port is `sim.portal.alarm`, the episodes are `sim.portal.episodes`.
"""
