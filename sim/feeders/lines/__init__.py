"""Lines that gateways are fed by, one file each (LINE): pseudo terminal, serial port, TCP, standard input, a path, and
HTTP and MQTT for products."""
