"""The alerts with which one side of TLS breaks a handshake off, as OpenSSL words them: "unknown ca".

Python's table of them ends with TLS 1.2; what RFC 8446, 6 and RFC 7301, 3.2 added stands here.
"""

from __future__ import annotations

import ssl
from typing import Final

_ADDED: Final = {109: "missing extension", 116: "certificate required", 120: "no application protocol"}


def _words(alert: ssl.AlertDescription) -> str:
    return alert.name.removeprefix("ALERT_DESCRIPTION_").replace("_", " ").lower()


ALERTS: Final = {int(one): _words(one) for one in ssl.AlertDescription} | _ADDED
"""Code -> its words."""
