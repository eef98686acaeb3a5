"""`smgw serve`: gateways, administrator and supplier on the loopback, for any client to try, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

from bench import signals
from bench.run_errors import CannotRun
from bench.smgw.served_world import ServedWorld
from reports.wording import plain
from sim.core.clock import wall_sleep
from sim.core.seeds import fresh_seed
from sim.smart_metering.han.han_server import HanError
from sim.smart_metering.wan.tls import WanError

_STEP_S: Final = 1.0


def serve(arguments: argparse.Namespace) -> int:
    """Exit code 0 when it was asked to end."""
    if not 0 <= arguments.port <= 65_000:
        raise CannotRun(f"--port {arguments.port}: a port from 1024 to 65000, or 0 for free ones")
    if not 0 < arguments.hours <= 24 * 31:
        raise CannotRun(f"--hours {arguments.hours:g}: more than 0, at most 744, a month")
    seed = fresh_seed() if arguments.seed is None else arguments.seed
    folder = Path(tempfile.mkdtemp(prefix="wmbench-smgw-"))
    try:
        with ServedWorld(arguments.world, arguments.hours, seed, folder, arguments.port) as served:
            _say(served, as_json=arguments.json)
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    signals.obey()
                    wall_sleep(_STEP_S)
                    served.catch_up()
    except (HanError, WanError) as error:
        raise CannotRun(str(error)) from None
    except KeyboardInterrupt:
        pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _say(served: ServedWorld, *, as_json: bool) -> None:
    if as_json:
        doors = [
            {
                "what": one.what, "url": one.url,
                "logins": [{"user": user, "password": pin, "is": what} for user, pin, what in one.logins],
            }
            for one in served.doors
        ]  # fmt: skip
        told = {"authority": str(served.authority), "folder": str(served.folder), "doors": doors}
        print(json.dumps(told), flush=True)
        return
    listed: set[tuple[tuple[str, str, str], ...]] = set()
    for one in served.doors:
        print(plain(one.url))
        print(plain(f"    {one.what}"))
        if one.logins and one.logins not in listed:
            listed.add(one.logins)
            for user, password, what in one.logins:
                print(plain(f"    {user:<14} {password}  {what}"))
    print(plain(f"The WAN's root certificate: {served.authority}"))
    print("A browser finds /display on each port of a HAN. Passwords are of this run. Ctrl-C ends it; nothing is left.",
          flush=True)  # fmt: skip
