"""One line that is one JSON object."""

from __future__ import annotations

import json

from sim.lines.reception import BadLine


def object_of(line: str) -> dict[str, object]:
    """Raises BadLine."""
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadLine(f"a JSON object is needed, not {type(body).__name__}")
    return body
