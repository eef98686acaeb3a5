"""What AWS IoT Core forbids and Mosquitto does not: one row a rule, with where it is written and how sure it is.

A row's mark is "measured at the service" (somebody's kept run against it asserts it), "documented" (AWS writes it), or
"ours alone" (AWS says no more than that it is refused, or nothing; how it is refused here is our choice). No row was
ever confirmed by a run of this project's own. `test` names the test that breaks the rule, in tests/sim/endpoint/aws.
Rows about connections and actions are also the words of the companion's log. A rule of its `rated` kind counts wall
seconds, and is enforced only with [endpoint] enforce_rates: simulated time is compressed, a second of the wall there is
an hour of the world.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

PAYLOAD_BYTES: Final = 131_072
PACKET_BYTES: Final = 149_504
TOPIC_BYTES: Final = 256
TOPIC_SLASHES: Final = 7
CLIENT_ID_BYTES: Final = 128
IN_FLIGHT: Final = 100
FILTERS_A_SUBSCRIBE: Final = 8
FILTERS_A_CONNECTION: Final = 50
KEEP_ALIVE_S: Final = (30, 1_200)
KEEP_ALIVE_FACTOR: Final = 1.5
PUBLISHES_A_SECOND: Final = 100
BYTES_A_SECOND: Final = 524_288
CONNECTS_A_SECOND_A_CLIENT: Final = 1
CONNECTS_A_SECOND: Final = 500
SESSION_EXPIRY_S: Final = 3_600
TOPIC_ALIASES: Final = 8
SHARE_NAME_BYTES: Final = 128
RESEND_S: Final = 30
BEFORE_CONNECT_S: Final = 10

Mark = Literal["measured at the service", "documented", "ours alone"]
_QUOTAS: Final = "AWS IoT Core endpoints and quotas"
_MQTT: Final = "developer guide, mqtt"
_POLICIES: Final = "developer guide, iot-policies, pub-sub-policy"
_SHADOW_ERRORS: Final = "developer guide, device-shadow-error-messages"
_CRT: Final = "aws-crt-python, test_mqtt5 against the service"


class Limit(NamedTuple):
    """One rule. `does`: what happens to who breaks it."""

    id: str
    what: str
    does: str
    source: str
    mark: Mark
    test: str
    rated: bool = False


LIMITS: Final[tuple[Limit, ...]] = (
    Limit("connect-denied", "a CONNECT that no policy allows", "CONNACK not authorized (5; v5: 87), closed", _POLICIES,
          "documented", "a_connect_that_no_policy_allows"),
    Limit("inactive", "a certificate that is pending, inactive or revoked", "CONNACK not authorized, closed",
          "developer guide, fleet-provision-api", "ours alone", "a_certificate_that_is_pending"),
    Limit("will-denied", "a will whose topic the client may not publish to", "CONNACK not authorized, closed",
          "developer guide, life-cycle-events", "documented", "a_will_it_may_not_publish"),
    Limit("publish-denied", "a PUBLISH that no policy allows", "closed (v5: DISCONNECT 87 first)", _POLICIES,
          "documented", "a_publish_that_no_policy_allows"),
    Limit("retain-denied", "RETAIN without iot:RetainPublish", "closed", "developer guide, iot-policy-actions",
          "documented", "retain_needs_its_own_action"),
    Limit("subscribe-denied", "a SUBSCRIBE of which a filter is not allowed", "closed (v5: DISCONNECT 87 first)",
          _POLICIES + "; aws-iot-device-sdk-js #125", "documented", "a_subscribe_that_no_policy_allows"),
    Limit("receive-denied", "a message that the client may not receive", "not delivered", _POLICIES, "documented",
          "a_message_it_may_not_receive"),
    Limit("qos-2", "QoS 2, published or asked for", "no acknowledgement; v5: DISCONNECT 9B", _MQTT, "documented",
          "qos_2"),
    Limit("payload", f"a payload above {PAYLOAD_BYTES} bytes", "closed", _QUOTAS, "documented", "a_payload_too_large"),
    Limit("topic-length", f"a topic above {TOPIC_BYTES} bytes", "closed", _QUOTAS, "documented", "a_topic_too_long"),
    Limit("topic-levels", f"a topic with more than {TOPIC_SLASHES} slashes", "closed", _QUOTAS, "documented",
          "a_topic_with_too_many_levels"),
    Limit("reserved-topic", "a topic beginning with $ that is none of AWS's", "closed",
          "developer guide, reserved-topics", "ours alone", "a_reserved_topic"),
    Limit("ingest-subscribed", "a subscription to Basic Ingest topics", "closed", "developer guide, iot-basic-ingest",
          "documented", "a_subscription_to_basic_ingest"),
    Limit("client-id", f"no client id in MQTT 3.1.1, one above {CLIENT_ID_BYTES} bytes, or one beginning with $",
          "CONNACK identifier rejected (2; v5: 85), closed", _QUOTAS, "documented", "a_client_id_out_of_bounds"),
    Limit("duplicate-id", "a second session with a client id", "the first one is closed", _CRT,
          "measured at the service", "a_second_session_ends_the_first"),
    Limit("second-connect", "a second CONNECT on a connection", "closed", "developer guide, life-cycle-events",
          "documented", "a_second_connect"),
    Limit("filters", f"more than {FILTERS_A_SUBSCRIBE} filters in a SUBSCRIBE", "closed", _QUOTAS, "documented",
          "too_many_filters_in_a_subscribe"),
    Limit("subscriptions", f"more than {FILTERS_A_CONNECTION} subscriptions of a connection", "closed", _QUOTAS,
          "documented", "too_many_subscriptions"),
    Limit("in-flight", f"more than {IN_FLIGHT} publishes without PUBACK", "not read until some have theirs", _QUOTAS,
          "ours alone", "too_many_publishes_in_flight"),
    Limit("keep-alive", f"keep alive of 0, or out of {KEEP_ALIVE_S[0]} to {KEEP_ALIVE_S[1]} s",
          f"the nearest bound; closed after {KEEP_ALIVE_FACTOR} of it without a packet", _CRT,
          "measured at the service", "keep_alive_is_brought_into_bounds"),
    Limit("wildcard-retained", "a retained message for a filter with wildcards", "not delivered",
          "developer guide, mqtt (retained messages)", "documented", "a_retained_message_for_a_wildcard"),
    Limit("parent-level", "a message on a for the filter a/#", "not delivered", "developer guide, topics",
          "documented", "the_parent_of_a_filter"),
    Limit("broker-topics", "a message under $ that is none of AWS's, for whoever subscribed to it", "not delivered",
          "developer guide, reserved-topics", "ours alone", "a_message_of_the_broker_itself"),
    Limit("no-dup", "DUP on a delivered message", "cleared", _MQTT, "documented", "no_dup_is_delivered"),
    Limit("certificate", "a certificate that is revoked, foreign or missing", "TLS refuses", _POLICIES, "documented",
          "a_certificate_that_is_not_good"),
    Limit("revoked-live", "a live session whose certificate is revoked", "closed: within minutes there, at once here",
          "API reference, UpdateCertificate", "documented", "a_live_session_whose_certificate_is_revoked"),
    Limit("sni", "a TLS handshake without a server name", "TLS refuses", "developer guide, transport-security",
          "documented", "a_handshake_without_a_server_name"),
    Limit("bad-packet", "bytes that are no packet of MQTT's, one before CONNECT, or a PUBLISH to a wildcard",
          "closed (v5: DISCONNECT 81 or 90 first)", "MQTT 3.1.1 and 5; " + _MQTT, "documented",
          "a_broken_packet_ends_the_connection"),
    Limit("no-connect", f"no CONNECT within {BEFORE_CONNECT_S} s", "closed", "nobody says", "ours alone",
          "who_says_nothing_is_let_go"),
    Limit("offers", f"what MQTT 5 is offered: a session of {SESSION_EXPIRY_S} s, {IN_FLIGHT} in flight, packets of "
          f"{PACKET_BYTES} bytes, {TOPIC_ALIASES} topic aliases, QoS 1, no subscription identifiers",
          "stands in CONNACK", _CRT, "measured at the service", "v5_is_offered_what_the_service_offers"),
    Limit("assigned-id", "no client id in MQTT 5", "is given one", _CRT, "measured at the service",
          "a_v5_client_without_an_id_is_given_one"),
    Limit("signature", "a WebSocket whose address is signed wrongly, too long ago, or not at all", "HTTP 403",
          "developer guide, protocols", "documented", "a_bad_signature_gets_no_websocket"),
    Limit("bad-request", "an HTTPS request that is none, or has another path or method", "HTTP 400, 404, 405",
          "developer guide, http", "documented", "a_bad_request_is_answered_and_harms_nobody"),
    Limit("policy-variable", "a policy variable without a value; those of things need the thing's name as client id",
          "matches nothing, in Allow and in Deny", "developer guide, thing-policy-variables", "documented",
          "a_variable_without_value_lets_neither_allow_nor_deny_match"),
    Limit("ingest-topic", "$aws/rules/RULE/ before a topic", "reaches that rule alone, which does not see it there",
          "developer guide, iot-basic-ingest", "documented",
          "basic_ingest_reaches_one_rule_whatever_its_filter_and_hides_its_prefix"),
    Limit("ingest-unknown", "Basic Ingest to a rule that is not there", "PUBACK, and a line of the log",
          "developer guide, iot-basic-ingest", "documented", "basic_ingest_names_a_rule_that_does_not_exist"),
    Limit("rule-statement", "a topic rule whose statement does not parse", "is not made: nothing starts",
          "API reference, CreateTopicRule", "documented", "a_wrong_rule_is_named_and_nothing_runs"),
    Limit("rule-action", "an action that fails", "a line of the log, and the rule's errorAction",
          "developer guide, rule-error-handling", "documented", "a_key_from_a_payload_stays_in_its_bucket"),
    Limit("shadow-request", "no JSON object, no `state`, a section that is none, more than 6 levels",
          "update/rejected, 400", _SHADOW_ERRORS, "documented", "what_is_not_a_request_is_rejected"),
    Limit("shadow-token", "a clientToken above 64 bytes", "update/rejected, 400", _SHADOW_ERRORS, "documented",
          "a_token_of_64_bytes_comes_back_and_one_of_65_is_refused"),
    Limit("shadow-version", "an update with a version that is not the shadow's", "update/rejected, 409", _SHADOW_ERRORS,
          "documented", "versions_rise_over_deletion_and_a_stale_one_conflicts"),
    Limit("shadow-size", "desired and reported values above 8192 bytes together", "update/rejected, 413",
          _SHADOW_ERRORS + "; how they are counted: Amazon's shadow-manager", "documented",
          "the_limit_counts_both_sections"),
    Limit("claim-token", "an ownership token after an hour", "provision rejected, 400; the certificate is gone",
          "developer guide, fleet-provision-api", "documented",
          "after_an_hour_the_token_is_worth_nothing_and_neither_is_the_certificate"),
    Limit("claim-hook", "a provisioning hook that says no, fails, or takes above 5 s", "provision rejected, 403",
          "developer guide, fleet-provision-api", "documented", "a_hook_decides_by_what_the_gateway_says_of_itself"),
    Limit("unacknowledged", "a message that the client does not acknowledge", f"sent again after {RESEND_S} s", _CRT,
          "measured at the service", "a_message_without_its_acknowledgement", rated=True),
    Limit("publish-rate", f"more than {PUBLISHES_A_SECOND} publishes a second of a connection",
          "discarded, without PUBACK", _QUOTAS, "documented", "publishes_above_the_rate", rated=True),
    Limit("byte-rate", f"more than {BYTES_A_SECOND} bytes a second of a connection", "discarded, without PUBACK",
          _QUOTAS, "ours alone", "bytes_above_the_rate", rated=True),
    Limit("connect-rate", f"more than {CONNECTS_A_SECOND_A_CLIENT} CONNECT a second of a client id",
          "closed without CONNACK", _QUOTAS, "ours alone", "connects_above_the_rate", rated=True),
    Limit("account-rate", f"more than {CONNECTS_A_SECOND} CONNECT a second of an account", "closed without CONNACK",
          _QUOTAS, "ours alone", "connects_of_the_account_above_the_rate", rated=True),
)  # fmt: skip

NEVER_CONFIRMED: Final = "Verdicts of aws_local follow AWS's documents; they were never confirmed against the service."
