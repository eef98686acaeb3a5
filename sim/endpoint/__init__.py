"""What stands between gateways and portal: the port, and one file an endpoint in kinds/.

    port                the verbs every endpoint has
    registry            which endpoints there are
    endpoint_spec       [endpoint] of a world: the keys of all kinds
    kinds/              memory, mosquitto, aws_local
    aws/                AWS IoT Core's rules, shadows, policies and limits without a socket; the companion
    topic_acl           which client may publish and read which topic
    mosquitto_config    Mosquitto's configuration, as text
    mosquitto_program   where the Mosquitto program comes from
    apt_packages        packages of Debian or Ubuntu, fetched and unpacked without root
    supervised_process  a process that cannot outlive us
    event_loop          one epoll for all clients of this process
    tls_connect         one attempt: TCP and TLS without blocking
    client              paho-mqtt on a socket that is connected already
    session             a client's connection, kept up
    mqtt_wire           MQTT packets as bytes
    one_session         one session without a second try, every answer kept; tls_hello: a server's answer to a greeting
    fence               a barrier made of the broker's own ordering
"""
