"""What stands between gateways and portal: the port, and one file an endpoint.

    port               the verbs every endpoint has
    memory             embedded, for runs that want no broker
    mosquitto          a child process on a free port: mutual TLS, per-device ACL, CRL
    mosquitto_program  where the Mosquitto program comes from
    session            paho-mqtt on one epoll loop, many clients in one process
"""
