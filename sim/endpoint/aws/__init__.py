"""AWS IoT Core as its documents describe it. Without a socket, bytes and facts in, decisions out:

    rule_values      the types of AWS IoT SQL, their conversions, and JSON that keeps the digits of a number
    rule_syntax      an SQL statement as a tree
    rule_tree        what that tree is made of
    rule_function    what a function is, and what it may know
    rule_functions   the functions of AWS IoT SQL, one row each; rule_numbers, rule_texts: what they do
    md2              a hash that OpenSSL no longer has
    rule_times       date patterns of Joda and of the JDK
    topics           filters, and Basic Ingest
    rules            a topic rule: which messages fire it and what it makes of them; substitution templates
    shadows          device shadows: update, get, delete; accepted, rejected, delta, documents; shadow_file: on the disk
    policies         policy documents: statements, variables, conditions
    aws_limits       every rule that is enforced: its number, source and how sure it is
    bill             what AWS would charge
    fleet_policies   the policies of the bench's fleet
    client_packets   what a client says in MQTT 3.1.1 and 5
    account          what all connections share
    connection       one client's connection under these rules; connection_checks: of a topic, and why one ends
    offers           what a client is offered and granted; unanswered: what it has not acknowledged
    rule_actions     what a topic rule does with its output
    certificate_claims  provisioning by claim: tokens, templates, hooks; claim_registry: in the companion
    portal_queue     the rules and the lines by which a portal hears from a queue; portal_files: from a bucket
    sigv4            an address signed and checked
    aws_refusals     what the control plane says no with, as sentences
    account_ledger   what was made in an account, on the disk before and after

and, with sockets:

    companion        the process in front of Mosquitto; companion_sockets: TLS and bytes; own_session: its way there
    web_client       its second port: WebSocket, ALPN, HTTPS
    claim_client     a gateway that comes by claim
    https_publish    a gateway that speaks HTTPS alone
    control_plane    the door to boto3; provisioning: devices in an account

Nothing here was ever confirmed against the service by this project. Each rule follows the developer guide (awsdocs/
aws-iot-docs@bf7e1453, CC BY-SA 4.0; the pages are named where a rule is kept) or cases that others ran against it
(tests/vectors/aws).
"""
