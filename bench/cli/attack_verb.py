"""`./wmbench attack VERB`: attacks on a part that is not ours, in the place of the bench's own.

broker HOST:PORT   an MQTT broker
"""

from __future__ import annotations

from bench.broker import broker_command
from bench.options import Commands


def add(commands: Commands) -> None:
    """`attack` on the command line."""
    attack = commands.add_parser("attack", help="a broker that is not ours under attack, with remedies")
    verbs = attack.add_subparsers(dest="verb", required=True, metavar="VERB")
    broker_command.add(verbs)
