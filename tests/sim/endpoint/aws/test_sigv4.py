"""Our signer against our check, each part of a signed address changed in turn, and botocore's signer as witness."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from sim.core import clock
from sim.endpoint.aws import sigv4
from sim.endpoint.aws.sigv4 import BadSignature, Credentials, presigned, verified

NOW_S = 1_700_000_000.0
HOST, REGION = "abc-ats.iot.eu-central-1.amazonaws.com", "eu-central-1"
MINE = Credentials("AKIDEXAMPLE", "a secret/with+signs")
AT = {"host": HOST}
KNOWN = {MINE.access_key: MINE.secret_key}


def test_what_we_sign_is_good_for_a_day_and_no_longer() -> None:
    target = presigned(MINE, HOST, REGION, NOW_S)
    for at_s in (NOW_S - sigv4.CLOCKS_APART_S, NOW_S, NOW_S + sigv4.EXPIRES_MOST_S - 1):
        assert verified(target, AT, KNOWN, REGION, at_s) == MINE.access_key
    for at_s in (NOW_S - sigv4.CLOCKS_APART_S - 1, NOW_S + sigv4.EXPIRES_MOST_S):
        with pytest.raises(BadSignature, match="expired, or its clock is off"):
            verified(target, AT, KNOWN, REGION, at_s)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("/mqtt?", "/other?", "the path is not /mqtt"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "not signed by"),
        ("SignedHeaders=host", "SignedHeaders=host%3Bx", "the header x is signed and was not sent"),
        ("SignedHeaders=host", "SignedHeaders=x", "not signed by"),
        ("eu-central-1", "us-east-1", "the scope is not of eu-central-1"),
        ("iotdevicegateway", "iotother", "the scope is not of"),
        ("AKIDEXAMPLE", "AKIDOTHER", "the access key is not known"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=86399", "does not match"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=86401", "expired"),
        ("X-Amz-Expires=86400", "X-Amz-Expires=x", "cannot be read"),
        ("X-Amz-Date=2023", "X-Amz-Date=x023", "cannot be read"),
    ],
)
def test_whatever_is_changed_is_noticed(old: str, new: str, said: str) -> None:
    target = presigned(MINE, HOST, REGION, NOW_S)
    assert old in target
    with pytest.raises(BadSignature, match=said):
        verified(target.replace(old, new), AT, KNOWN, REGION, NOW_S)


def test_a_signature_is_of_one_host_and_one_secret() -> None:
    target = presigned(MINE, HOST, REGION, NOW_S)
    for host, secrets in ((HOST.replace("abc", "abd"), KNOWN), (HOST, {MINE.access_key: "another"})):
        with pytest.raises(BadSignature, match="does not match"):
            verified(target, {"host": host}, secrets, REGION, NOW_S)
    assert MINE.secret_key not in repr(MINE)


def test_a_token_is_beside_what_is_signed() -> None:
    plain = presigned(MINE, HOST, REGION, NOW_S)
    with_token = presigned(Credentials(MINE.access_key, MINE.secret_key, "to/ken="), HOST, REGION, NOW_S)
    assert with_token.startswith(plain) and with_token.endswith("&X-Amz-Security-Token=to%2Fken%3D")
    assert verified(with_token, AT, KNOWN, REGION, NOW_S) == MINE.access_key


@pytest.mark.parametrize("service", sigv4.SERVICES)
def test_botocore_signs_the_same(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = pytest.importorskip("botocore.auth", reason="the extra aws is not here: ./wmbench setup aws")
    import datetime

    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Theirs

    at = datetime.datetime.fromtimestamp(NOW_S, datetime.UTC)
    monkeypatch.setattr(auth, "get_current_datetime", lambda **_: at.replace(tzinfo=None))
    request = AWSRequest("GET", f"wss://{HOST}/mqtt")
    signer = auth.SigV4QueryAuth(Theirs(MINE.access_key, MINE.secret_key), service, REGION, expires=86_400)
    signer.payload = lambda _request: sigv4._NOTHING
    signer.add_auth(request)
    theirs = urlsplit(request.url)
    assert parse_qs(theirs.query) == parse_qs(urlsplit(presigned(MINE, HOST, REGION, NOW_S, service=service)).query)
    assert verified(f"{theirs.path}?{theirs.query}", AT, KNOWN, REGION, NOW_S) == MINE.access_key


def test_the_older_sdk_signs_what_we_take() -> None:
    """It dials names of AWS's only, so its signer is asked and not its client."""
    cores = pytest.importorskip(
        "AWSIoTPythonSDK.core.protocol.connection.cores",
        reason="the extra aws-tests is not here: ./wmbench setup aws-tests",
    )
    signer = cores.SigV4Core()
    signer.setIAMCredentials(MINE.access_key, MINE.secret_key, "to/ken=")
    signed = urlsplit(signer.createWebsocketEndpoint(HOST, 443, REGION, "GET", "iotdata", "/mqtt"))
    assert verified(f"{signed.path}?{signed.query}", AT, KNOWN, REGION, clock.unix_ns() / 1e9) == MINE.access_key
