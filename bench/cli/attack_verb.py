"""`./wmbench attack VERB`: attacks on a part that is not ours, in the place of the bench's own.

broker HOST:PORT   an MQTT broker
portal NAME        a product that decodes and stores readings
"""

from __future__ import annotations

from bench.broker import broker_command
from bench.options import Commands
from bench.product import portal_command


def add(commands: Commands) -> None:
    """`attack` on the command line."""
    attack = commands.add_parser("attack")
    verbs = attack.add_subparsers(dest="verb", required=True, metavar="VERB")
    broker_command.add(verbs)
    portal_command.add(verbs)
