"""`./wmbench attack broker HOST:PORT`: does a broker withstand what strangers and single devices can do?"""

from __future__ import annotations

import argparse
import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from bench import row_suite, run_directory
from bench.broker.broker_target import Broker, Shown, Target, found_address, shown_by
from bench.options import Commands, add_runs, between, count, host_and_port
from bench.run_errors import CannotRun
from sim.endpoint.port import FENCE

_WIDTH: Final = 78


def add(verbs: Commands) -> None:
    """`broker` below `attack`."""
    broker = verbs.add_parser("broker", help="an MQTT broker: TLS, access, topics, floods, with remedies")
    broker.add_argument("address", metavar="HOST:PORT", type=host_and_port)
    broker.add_argument("--i-own-this", action="store_true", help="for a private address; a public one is refused")
    broker.add_argument("--rows", metavar="ROW,ROW", default="", help="only these; `list broker-rows` has all")
    broker.add_argument("--name", metavar="NAME", help="what its certificate is to say (default: HOST)")
    broker.add_argument("--ca", metavar="FILE", type=Path, help="the authority that its clients trust")
    for prefix, words in (("", "a device's"), ("second-", "another device's")):
        broker.add_argument(f"--{prefix}certificate", metavar="FILE", type=Path, help=f"{words} certificate (PEM)")
        broker.add_argument(f"--{prefix}key", metavar="FILE", type=Path, help=f"{words} private key (PEM)")
        broker.add_argument(f"--{prefix}user", metavar="NAME", help=f"{words} user name")
        broker.add_argument(f"--{prefix}password-file", metavar="FILE", type=Path, help="its first line: the password")
        broker.add_argument(f"--{prefix}client-id", metavar="ID", help="(default: its user, or its common name)")
    broker.add_argument("--revoked-certificate", metavar="FILE", type=Path, help="one that was taken back")
    broker.add_argument("--revoked-key", metavar="FILE", type=Path)
    broker.add_argument("--revoke", metavar="COMMAND", default="",
                        help="takes the second identity back; {client} is its client id")  # fmt: skip
    broker.add_argument("--topic", metavar="TOPIC", default=FENCE,
                        help=f"one that each client may write and read; {{client}} is its id ({FENCE})")  # fmt: skip
    broker.add_argument("--broker", choices=get_args(Broker), help="what it is, where it does not say so itself")
    broker.add_argument("--config", metavar="FILE", type=Path, help="its mosquitto.conf: findings get a line in it")
    broker.add_argument("--deadline", type=between(0.1, 600.0), metavar="S", default=5.0, help="for an answer (5)")
    broker.add_argument("--patience", type=between(0.0, 60.0), metavar="S", default=1.0,
                        help="for what must not come (1)")  # fmt: skip
    broker.add_argument("--system-wait", type=between(0.0, 600.0), metavar="S", default=12.0,
                        help="for what it tells of itself below $SYS (12)")  # fmt: skip
    broker.add_argument("--flood", type=count(20, 100_000), metavar="N", default=1_500, help="messages (1500)")
    broker.add_argument("--queue", type=count(10, 60_000), metavar="N", default=1_000,
                        help="messages that may wait for a client that takes none (1000)")  # fmt: skip
    broker.add_argument("--largest", type=count(100, 16_000_000), metavar="BYTES", default=131_072,
                        help="no message above may pass (131072)")  # fmt: skip
    broker.add_argument("--connections", type=count(1, 1_000), metavar="N", default=200,
                        help="held open without a word (200)")  # fmt: skip
    broker.add_argument("--json", action="store_true", help="print run.json")
    add_runs(broker)
    broker.set_defaults(command=command_broker)


def command_broker(arguments: argparse.Namespace) -> int:
    from bench.broker.broker_suite import Attack, rows_named
    from bench.cli.runner import command_line
    from reports import sarif

    target = target_of(arguments)
    rows = rows_named(row_suite.named(arguments.rows))
    directory = run_directory.make(f"broker-{target.address.port}")
    attack = Attack(target, rows, directory, _say)
    body = row_suite.kept(attack, command_line(), sarif.write)
    return row_suite.shown(body, directory, lines, as_json=arguments.json)


def _say(finding: Any, done: int, all_: int) -> None:
    print(f"{done}/{all_} {finding.answer:<14} {finding.row.id}", file=sys.stderr, flush=True)


def lines(run: Mapping[str, Any]) -> Iterator[str]:
    """The table; one sentence where there was no broker."""
    from reports import check_text
    from reports.wording import plain

    if why := run["check"]["no_broker"]:
        yield f"INCONCLUSIVE: {plain(why)}"
        return
    yield f"{plain(run['title'])}: {plain(run['check']['says'])}"
    for row in run["scenarios"]:
        words = textwrap.wrap(plain(row["message"]), _WIDTH) or [""]
        yield f"{row['answer']:<14} {row['row']:<18} {'+'.join(row['threats']):<8} {words[0]}"
        yield from (f"{'':<42} {more}" for more in words[1:])
        if row["remedy"]:
            yield from (f"{'':<42} {more}" for more in textwrap.wrap(f"remedy: {plain(row['remedy'])}", _WIDTH))
    yield check_text.summary(run)


def target_of(arguments: argparse.Namespace) -> Target:
    """What the options say. Raises CannotRun, PkiError."""
    host, port = arguments.address
    a = arguments
    if "{client}" not in a.topic or any(one in a.topic for one in "#+\0") or not _formats(a.topic):
        raise CannotRun(f"--topic {a.topic!r}: a topic without wildcards that has {{client}} in it, as in {FENCE}")
    try:
        revoke = tuple(shlex.split(a.revoke))
    except ValueError as error:
        raise CannotRun(f"--revoke: {error}; quote it as a shell would want it") from None
    if a.ca is not None and not a.ca.is_file():
        raise CannotRun(f"{a.ca}: no such file; name the PEM file of the authority that its clients trust")
    first = shown_by(a.certificate, a.key, a.user, a.password_file, a.client_id, role="first",
                     otherwise="wmbench-1")  # fmt: skip
    second: Shown | None = shown_by(a.second_certificate, a.second_key, a.second_user, a.second_password_file,
                                    a.second_client_id, role="second", otherwise="wmbench-2")  # fmt: skip
    if second is not None and second.anonymous and not first.anonymous:
        second = None
    if second is not None and second.client_id == first.client_id:
        raise CannotRun(f"both identities are {first.client_id}; name another with --second-client-id")
    revoked = None
    if a.revoked_certificate is not None or a.revoked_key is not None:
        revoked = shown_by(a.revoked_certificate, a.revoked_key, None, None, None, role="revoked", otherwise="revoked")
    address = found_address(host, port, own=a.i_own_this)
    return Target(
        address, a.name or host, first, second, revoked, a.ca, a.topic, revoke, a.broker, a.config, a.deadline,
        a.patience, a.system_wait, a.flood, a.queue, a.largest, a.connections,
    )  # fmt: skip


def _formats(topic: str) -> bool:
    try:
        topic.format(client="x").encode()
    except (ValueError, KeyError, IndexError, AttributeError):
        return False
    return True
