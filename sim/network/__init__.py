"""The path between a gateway and the broker, and attackers on it.

backhaul   what a way to the broker carries, as data; uplink: the same as each gateway's way in virtual time
paths      where each gateway's path leads
tls_proxy  a proxy on real sockets
mitm_path  a man in the middle, made from it
loop_thread   an asyncio loop on a thread of its own
https_thread  HTTPS, a connection a thread
"""
