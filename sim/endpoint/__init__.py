"""What stands between gateways and portal: the port, and one file an endpoint.

    endpoint_spec       [endpoint] of a world
    port                the verbs every endpoint has
    registry            which endpoints there are, and how a world gets its own
    memory              embedded, for runs that want no broker
    mosquitto           a child process on a free port: mutual TLS, per-device ACL, CRL
    topic_acl           who may say and hear what
    mosquitto_config    what it is told, as text
    mosquitto_program   where the Mosquitto program comes from
    apt_packages        packages of Debian or Ubuntu, fetched and unpacked without root
    supervised_process  a process that cannot outlive us
    event_loop          one epoll for all clients of this process
    tls_connect         one attempt: TCP and TLS without blocking
    client              paho-mqtt on a socket that is connected already
    session             a client's connection, kept up
    mqtt_wire           MQTT packets as bytes
    fence               a barrier made of the broker's own ordering
"""
