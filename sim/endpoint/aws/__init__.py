"""AWS IoT Core as its documents describe it.

Rules, policies, shadows and limits are bytes and facts in, decisions out, without a socket. With sockets: the companion
in front of Mosquitto, its second port, gateways that come by claim or by HTTPS, and the control plane.

Nothing here was ever confirmed against the service by this project. Each rule follows the developer guide (awsdocs/
aws-iot-docs@bf7e1453, CC BY-SA 4.0; the pages are named where a rule is kept) or cases that others ran against it
(tests/vectors/aws).
"""
