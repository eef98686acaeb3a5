"""./wmbench aws provision | rotate | revoke | cleanup: devices in an account of AWS's, and nothing left of them.

    aws provision [NAME ...]    keys made here; certificates, things, policies there. Always: portal, doctor
    aws rotate NAME ...         a new key and certificate for each
    aws revoke NAME ...         its certificate is good for no session any more
    aws cleanup                 everything goes that the ledger of the folder says was made

Credentials come from the environment alone (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, or
AWS_PROFILE) and are never written. DIR/ledger.jsonl says what stands in the account; keys lie in DIR/identities,
0600. Never run against an account by this project.

Exit code 6 and one sentence where AWS, or the way to it, refuses (INCONCLUSIVE, as a run is on an account that is out
of reach), 2 where the command itself cannot be carried out, 1 where `cleanup` left something. However a command ends
early, a line says what stands in the account by then.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from pathlib import Path
from typing import Any, Final

from bench.exit_codes import FAILED_EXIT
from sim.core.quoting import shown
from sim.endpoint.aws.account_ledger import Ledger
from sim.endpoint.aws.control_plane import amazon_roots, control_plane, said
from sim.endpoint.aws.provisioning import Provisioning
from sim.endpoint.port import EndpointError
from sim.endpoint.topic_acl import PORTAL
from sim.pki.authority import PkiError, device_name

DONE = 0
ALWAYS: Final = (PORTAL, "doctor")
LEDGER: Final = "ledger.jsonl"


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs below `aws`."""
    for name, help_, names in (
        ("provision", "make devices in an account: a key here, a certificate, a thing, a policy", "*"),
        ("rotate", "give devices a new key and certificate", "+"),
        ("revoke", "take the certificates of devices back", "+"),
        ("cleanup", "remove everything that provision made", ""),
    ):
        verb = verbs.add_parser(name, help=help_)
        if names:
            verb.add_argument("names", nargs=names, type=_name, metavar="NAME", help="client id, thing and common name")
        verb.add_argument("--dir", type=Path, default=Path("aws"), help="of ledger.jsonl, identities/, root.pem (aws)")
        verb.add_argument("--region", default="", help="such as eu-central-1 (AWS_REGION)")
        if name == "provision":
            verb.add_argument("--prefix", default="wmbench", type=_prefix, help="of the policies' names (wmbench)")
        verb.set_defaults(command=command, verb=name)


def _name(text: str) -> str:
    try:
        return device_name(text)
    except PkiError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[\w+=,.@-]{1,100}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not of letters, digits and + = , . @ - _")
    return text


def command(arguments: argparse.Namespace) -> int:
    """Raises EndpointError (Refused where AWS says no), PkiError; what was made by then stands in the ledger, and is
    told of."""
    try:
        return _obey(arguments)
    except BaseException:
        _tell_what_stands(arguments.dir)
        raise


def _tell_what_stands(folder: Path) -> None:
    """Nothing where there is nothing, or no ledger that can be read."""
    with contextlib.suppress(EndpointError):
        place = folder / LEDGER
        if place.exists() and (stands := Ledger(place).told()):
            words = f"{stands} in the account, by {place}; `./wmbench aws cleanup --dir {folder}` removes that"
            print(f"wmbench: {shown(words)}", file=sys.stderr)


def _obey(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.dir
    place = folder / LEDGER
    if arguments.verb != "provision":
        Ledger(place)  # which says at once that there is none
    aws = control_plane(arguments.region or _region(place))
    ledger = Ledger(place, aws.account, aws.region)
    prefix = getattr(arguments, "prefix", "wmbench")
    devices = Provisioning(aws, ledger, folder / "identities", prefix, lambda line: print(line, flush=True))
    if arguments.verb == "cleanup":
        left = devices.cleanup()
        for line in left:
            print(f"wmbench aws cleanup: left: {line}", file=sys.stderr)
        print(f"{place}: {f'{len(left)} left' if left else 'nothing is left in the account'}")
        return FAILED_EXIT if left else DONE
    step = {"provision": devices.provision, "rotate": devices.rotate, "revoke": devices.revoke}[arguments.verb]
    names = arguments.names if arguments.verb != "provision" else dict.fromkeys([*ALWAYS, *arguments.names])
    for name in names:
        step(name)
    if arguments.verb == "provision":
        _tell(aws.calls, folder)
    return DONE


def _region(place: Path) -> str:
    """The ledger's, where there is one."""
    return Ledger(place).region if place.exists() else ""


def _tell(calls: Any, folder: Path) -> None:
    """What `run --endpoint aws_iot` wants to know."""
    found = said("ask for the endpoint's name", calls.describe_endpoint, endpointType="iot:Data-ATS")
    root = folder / "root.pem"
    try:
        root.write_bytes(amazon_roots())
    except OSError as error:
        raise EndpointError(f"cannot write {root}: {error.strerror}; say `provision` again when it can be") from None
    print(f"export WMBENCH_AWS_HOST={shown(str(found['endpointAddress']))}")
    print(f"export WMBENCH_AWS_IDENTITIES={folder / 'identities'} WMBENCH_AWS_AUTHORITIES={root}")
