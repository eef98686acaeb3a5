"""./wmbench aws shadows: gateways as an operator sees them, by what they reported to their device shadows.

    aws shadows RUN             of a run on endpoint aws_local, in which gateways had shadow = true
    aws shadows --dir DIR       of an account: every thing of DIR/ledger.jsonl (aws provision)

One line a gateway: firmware, meters heard, backlog, quarantined bundles, when it last heard a meter (seconds of its own
clock), when it last reported (by AWS's, or the companion's clock), and its shadow's version. A thing without a shadow
is listed as such. Exit code 2 where there is none at all, 6 where AWS, or the way to it, refuses.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.columns import in_columns
from sim.core.quoting import shown
from sim.endpoint.aws import shadow_file
from sim.endpoint.aws.account_ledger import Ledger
from sim.endpoint.aws.control_plane import Refused, control_plane, data_plane, said
from sim.endpoint.port import EndpointError

FOUND = 0
LEDGER: Final = "ledger.jsonl"
_NO_SHADOW: Final = "ResourceNotFoundException"
_COLUMNS: Final = ("gateway", "firmware", "meters", "backlog", "quarantined", "last heard", "reported", "version")
Document = Mapping[str, Any]


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb below `aws`."""
    verb = verbs.add_parser("shadows", help="list gateways by their device shadows")
    verb.add_argument("run", nargs="?", type=Path, metavar="RUN", help="a run's directory")
    verb.add_argument("--dir", type=Path, help="of an account's ledger.jsonl, instead of a run")
    verb.add_argument("--region", default="", help="such as eu-central-1 (the ledger's)")
    verb.add_argument("--json", action="store_true", help="one JSON object a gateway")
    verb.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Raises EndpointError; Refused where AWS says no."""
    if (arguments.run is None) == (arguments.dir is None):
        raise EndpointError("name either a run's directory or --dir, of an account's ledger")
    found = of_run(arguments.run) if arguments.run is not None else of_account(arguments.dir, arguments.region)
    for line in lines(found, as_json=arguments.json):
        print(line)
    return FOUND


def of_run(directory: Path) -> dict[str, Document | None]:
    """Gateway -> its shadow; the world's folder stands before the name where a run has several. Raises
    EndpointError."""
    if not directory.is_dir():
        raise EndpointError(f"no folder {directory}; name a run's directory, such as runs/latest")
    places = sorted(directory.rglob(shadow_file.FILE))
    found: dict[str, Document | None] = {}
    for place in places:
        world = f"{place.parent.parent.relative_to(directory)}: " if len(places) > 1 else ""
        try:
            rows = shadow_file.read(place.parent)
        except (OSError, ValueError) as error:
            raise EndpointError(f"cannot read {place}: {error}; run the scenario again") from None
        found |= {f"{world}{name}": one for name, one in shadow_file.classic(rows).items()}
    if not found:
        raise EndpointError(
            f"{directory} holds no shadows; run with --endpoint aws_local and gateway.shadow=true in the world"
        )
    return found


def of_account(folder: Path, region: str) -> dict[str, Document | None]:
    """Thing -> its classic shadow, or None. Raises EndpointError."""
    ledger = Ledger(folder / LEDGER)
    where = region or ledger.region
    ledger.check(control_plane(where).account, where)
    calls = data_plane(where)
    found: dict[str, Document | None] = {}
    for name in (entry.name for entry in ledger.standing("thing")):
        try:
            answer = said(f"read the shadow of {name}", calls.get_thing_shadow, thingName=name)
            found[name] = json.loads(answer["payload"].read())
        except Refused as refused:
            if refused.code != _NO_SHADOW:
                raise
            found[name] = None
    if not found:
        raise EndpointError(f"{folder / LEDGER} names no thing; `./wmbench aws provision` makes some")
    return found


def lines(found: Mapping[str, Document | None], *, as_json: bool = False) -> list[str]:
    """A table, or JSON. What devices reported goes through the door for outside bytes."""
    rows = [row_of(name, one) for name, one in found.items()]
    if as_json:
        return [json.dumps(row) for row in rows]
    table = [_COLUMNS, *[tuple("-" if row[key] is None else shown(str(row[key])) for key in _COLUMNS) for row in rows]]
    return in_columns(table)


def row_of(name: str, shadow: Document | None) -> dict[str, Any]:
    """What stands in a shadow's reported state; None for what does not."""
    state = (shadow or {}).get("state")
    reported = state.get("reported") if isinstance(state, dict) else None
    said_: dict[str, Any] = reported if isinstance(reported, dict) else {}
    heard_ns = said_.get("last_heard_ns")
    return {
        "gateway": name, **{key: said_.get(key) for key in ("firmware", "meters", "backlog", "quarantined")},
        "last heard": heard_ns / 1e9 if isinstance(heard_ns, int) else None,
        "reported": _moment((shadow or {}).get("metadata")), "version": (shadow or {}).get("version"),
    }  # fmt: skip


def _moment(metadata: Any) -> str | None:
    """The latest timestamp of what was reported."""
    dates = metadata.get("reported") if isinstance(metadata, dict) else None
    found = [one["timestamp"] for one in (dates or {}).values() if isinstance(one, dict) and "timestamp" in one]
    latest = max((one for one in found if isinstance(one, int) and 0 <= one < 1 << 35), default=None)
    return None if latest is None else datetime.fromtimestamp(latest, UTC).isoformat(timespec="seconds")
