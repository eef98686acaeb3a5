"""`./wmbench load`: what a broker and the portal behind it carry before a sentence about readings breaks."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench import run_directory
from bench.exit_codes import INCONCLUSIVE_EXIT, INTERRUPTED_EXIT
from bench.options import Commands, add_runs, between, count, host_and_port, seed
from bench.run_errors import CannotRun

BROKEN_EXIT: Final = 1
MOST_GATEWAYS: Final = 20_000
MOST_METERS: Final = 500_000
COUNTED_S: Final = 8.0
TAKERS: Final = 500  # of the published comparison


def add(commands: Commands) -> None:
    """`load` on the command line."""
    load = commands.add_parser("load")
    target = load.add_argument_group("what is loaded")
    target.add_argument("--endpoint", choices=("mosquitto", "aws_local"), default="mosquitto",
                        help="one of our own, new in each trial (mosquitto)")  # fmt: skip
    target.add_argument("--broker", metavar="HOST:PORT", type=host_and_port, help="instead: one that runs already")
    target.add_argument("--i-own-this", action="store_true", help="for a private address; a public one is refused")
    target.add_argument("--ca", metavar="FILE", type=Path, help="the authority that the given broker's clients trust")
    target.add_argument("--identities", metavar="FOLDER", type=Path, help="NAME.crt, NAME.key of portal, gw0, gw1, ...")
    target.add_argument("--pid", type=count(1, 1 << 22), metavar="N", help="the given broker's process, to measure it")
    target.add_argument("--link-mbit", type=between(0.001, 1e6), metavar="N", help="what the way to it can carry")
    offered = load.add_argument_group("what is offered")
    offered.add_argument("--shape", default="steady", metavar="ID", help="`list load-shapes` has all (steady)")
    offered.add_argument("--gateways", type=count(1, MOST_GATEWAYS), default=100, metavar="N", help="(100)")
    offered.add_argument("--telegrams", type=count(1, 400), default=20, metavar="N", help="in a bundle (20)")
    offered.add_argument("--type", default="qundis-q-caloric", metavar="TYPE", help="of the meters (qundis-q-caloric)")
    offered.add_argument("--interval-s", type=between(2.0, 86_400.0), default=900.0, metavar="S",
                         help="of the world, between two bundles of a gateway (900)")  # fmt: skip
    offered.add_argument("--seconds", type=between(0.2, 3_600.0), default=10.0, metavar="S", help="of a trial (10)")
    offered.add_argument("--workers", type=count(1, 64), metavar="N",
                         help="processes that publish (1; all workers of the cluster)")  # fmt: skip
    offered.add_argument("--scheduler", metavar="ADDRESS", default="",
                         help="they run on workers of a dask.distributed cluster, as tcp://HOST:8786")  # fmt: skip
    offered.add_argument("--takers", type=listed(count(1, 2_000)), metavar="N[,N]",
                         help=f"subscribers of the shape fan-in ({TAKERS}); several with --over")  # fmt: skip
    offered.add_argument("--over", type=listed(between(1.0, 1e6)), metavar="N[,N]",
                         help="of the shape fan-in: what the broker accepts and delivers at each of these messages/s, "
                              "no search")  # fmt: skip
    offered.add_argument("--broker-nice", type=count(0, 19), default=0, metavar="N",
                         help="with --over: the broker goes behind its clients where they want one core (0)")
    offered.add_argument("--clear", action="store_true", help="with --over: without TLS")
    wanted = load.add_argument_group("the sentence")
    wanted.add_argument("--share", type=between(0.000001, 1.0), metavar="SHARE", help="of the readings (0.99)")
    wanted.add_argument("--within-s", type=between(0.001, 3_600.0), metavar="S", help="from due to stored (5)")
    wanted.add_argument(
        "--p99-s", type=between(0.001, 3_600.0), metavar="S", help="the same as --share 0.99 --within-s S"
    )
    for what, help_ in (("lost", "not stored when a trial is over"), ("doubled", "stored twice"),
                        ("discarded", "publishes that a quota refused")):  # fmt: skip
        wanted.add_argument(f"--{what}", type=_most, default=0, metavar="N", help=f"{help_}, at most (0; any)")
    search = load.add_argument_group("the search")
    search.add_argument("--at", type=between(0.01, 1e6), metavar="N", help="one trial at N bundles/s, no search")
    search.add_argument(
        "--from", dest="start", type=between(0.01, 1e6), metavar="N", help="first load (one a gateway and s)"
    )
    search.add_argument(
        "--most", type=between(0.01, 1e6), default=100_000.0, metavar="N", help="no load above (100000)"
    )
    search.add_argument("--to", type=between(0.001, 1.0), default=0.02, metavar="SHARE", help="how exact (0.02)")
    search.add_argument(
        "--tries", type=count(1, 10), default=2, metavar="N", help="a load breaks that broke N times (2)"
    )
    search.add_argument("--beside", choices=("trial", "search", "none"), default="trial",
                        help="clients in C: at the load that broke, with a knee of their own, not at all")  # fmt: skip
    search.add_argument("--pairs", type=count(0, 100), metavar="N",
                        help="rounds in which one portal takes ours and those of clients in C in turn: the ratio that "
                             "runs are compared by (1 with --beside search, else 0)")  # fmt: skip
    search.add_argument("--seed", type=seed, action="append", default=[], help="a search each (1); may be given again")
    load.add_argument("--json", action="store_true")
    add_runs(load)
    load.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, EndpointError, StoreError, UnknownPart."""
    from bench.load import knee_run, load_text
    from reports import load_page

    if arguments.over is not None:
        return _fan_in(arguments)
    asked_ = asked(arguments)
    with tempfile.TemporaryDirectory(prefix="wmbench-load-pki-") as folder:
        broker = broker_of(arguments, asked_, Path(folder))
        kept = _Kept(load_text.in_words, lambda answer, _: load_page.render(answer), arguments.json)
        answer = kept.run(f"load-{asked_.setting.shape.id}", lambda say: knee_run.run(asked_, broker, say))
    return exit_code(answer)


class _Kept(NamedTuple):
    """How an answer is kept and printed: in lines, as a page of these, or as JSON."""

    lines: Callable[[dict[str, Any]], Iterable[str]]
    page: Callable[[dict[str, Any], list[str]], str]
    as_json: bool

    def run(self, name: str, measure: Callable[[Callable[[str], None]], dict[str, Any]]) -> dict[str, Any]:
        """What `measure(say)` answers, in a run directory with load.json and the page."""
        from bench.cli.runner import command_line, shown
        from sim.core.clock import wall_now
        from sim.core.quoting import hidden

        started = wall_now()
        directory = run_directory.make(name)
        try:
            answer = measure(lambda words: print(hidden(words), file=sys.stderr, flush=True))
        except BaseException:
            run_directory.unmake(directory)
            raise
        answer["command"] = command_line()
        answer |= run_directory.made_by(started)
        run_directory.write_json(directory / "load.json", answer, reserve=directory)
        lines = [hidden(one) for one in self.lines(answer)]
        (directory / "report.html").write_text(self.page(answer, lines), encoding="utf-8")
        run_directory.release(directory)
        print(json.dumps(answer, indent=1) if self.as_json else "\n".join(lines))
        if not self.as_json:
            print(f"report: {shown(directory / 'report.html')}")
        return answer


def _fan_in(arguments: argparse.Namespace) -> int:
    """`load --shape fan-in --over`. Raises CannotRun, EndpointError."""
    from bench.load import fan_run, fan_text
    from reports import fan_page
    from sim.endpoint.mosquitto_program import Found, find_mosquitto

    asked_, found = fan_asked(arguments), find_mosquitto()
    version = f"Mosquitto {found.version if isinstance(found, Found) else found.program}"
    kept = _Kept(fan_text.in_words, fan_page.render, arguments.json)
    answer = kept.run("load-fan-in", lambda say: fan_run.run(asked_, version, say))
    if answer["stopped"]:
        return INTERRUPTED_EXIT if answer["stopped"] == "interrupted" else INCONCLUSIVE_EXIT
    return 0


def fan_asked(arguments: argparse.Namespace) -> Any:
    """What the options of a fan-in say. Raises CannotRun."""
    from bench.load.fan_run import FanAsked
    from bench.load.fan_trial import FanSetting

    a = arguments
    if a.shape != "fan-in":
        raise CannotRun(f"--over is of --shape fan-in; --shape {a.shape} is searched, or takes --at")
    if a.endpoint != "mosquitto" or a.broker is not None:
        raise CannotRun(
            "--over starts Mosquitto with the settings of the published comparison: leave --endpoint and --broker out"
        )
    if a.scheduler:
        raise CannotRun("--over has its publishers on this machine; leave --scheduler out")
    if a.at is not None or a.start is not None:
        raise CannotRun("--over names the loads; leave --at and --from out")
    if a.pairs:
        raise CannotRun("--pairs is of a portal; --over has none, leave one of them out")
    if a.beside != "none" and shutil.which("mosquitto_pub") is None:
        raise CannotRun("no program mosquitto_pub is on the PATH; install mosquitto-clients, or say --beside none")
    if a.beside != "none" and a.seconds < COUNTED_S:
        raise CannotRun(
            f"clients in C do not tell what was accepted, and the broker counts each two seconds: take --seconds "
            f"{COUNTED_S:g} or more, or --beside none"
        )
    within_s = a.p99_s or a.within_s or 20.0
    seeds = tuple(dict.fromkeys(a.seed)) or (1,)
    setting = FanSetting(a.gateways, a.seconds, within_s, a.clear, seeds[0], a.broker_nice)
    return FanAsked(setting, a.takers or (TAKERS,), a.over, a.beside, seeds)


def listed(one: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Several, with commas between them, as argparse wants it."""
    return lambda text: tuple(dict.fromkeys(one(part) for part in text.split(",")))


def exit_code(answer: dict[str, Any]) -> int:
    """0: a knee, or one load that holds. 1: the one load asked for breaks, or none holds. 6: the generator may have
    been the limit, or the broker died. 130: interrupted, what was measured is printed."""
    if answer["stopped"] == "interrupted":
        return INTERRUPTED_EXIT
    if answer["stopped"] or answer["generator"]["was_the_limit"]:
        return INCONCLUSIVE_EXIT
    return 0 if answer["knee_per_s"] is not None else BROKEN_EXIT


def asked(arguments: argparse.Namespace) -> Any:
    """What the options say. Raises CannotRun, UnknownPart."""
    from bench.load.fleet_bundles import Sent
    from bench.load.knee_run import Asked
    from bench.load.load_trial import Setting
    from bench.load.sentence import Sentence
    from bench.load.shapes.port import SHAPES
    from sim.meters.meter_type import kind

    a = arguments
    if a.p99_s is not None and (a.share is not None or a.within_s is not None):
        raise CannotRun("--p99-s says share and time already; leave --share and --within-s out")
    shape = SHAPES.find(a.shape)
    kind(a.type)  # a type that is not there is said now
    if a.gateways * a.telegrams > MOST_METERS:
        raise CannotRun(
            f"{a.gateways} gateways with {a.telegrams} meters each are over {MOST_METERS} meters; take fewer"
        )
    shared = shape.takers == "shared"
    if a.clear or a.broker_nice:
        raise CannotRun("--clear and --broker-nice go with --over; a search is of mutual TLS")
    if a.takers is not None and len(a.takers) > 1:
        raise CannotRun("several --takers go with --over; a search has one number of them")
    if a.takers is not None and not shared:
        raise CannotRun(f"--takers is for shapes whose subscribers share a subscription; {shape.id} has the portal")
    if shared and a.endpoint == "aws_local" and a.broker is None:
        raise CannotRun(
            f"--shape {shape.id} needs subscribers beside the portal; --endpoint aws_local has no policy for them"
        )
    if a.at is not None and a.start is not None:
        raise CannotRun("--at is one load, --from begins a search; give one of them")
    if a.start is not None and a.start > a.most:
        raise CannotRun(f"--from {a.start:g} is above --most {a.most:g}")
    within_s = a.p99_s if a.p99_s is not None else (5.0 if a.within_s is None else a.within_s)
    sentence = Sentence(0.99 if a.share is None else a.share, within_s, a.lost, a.doubled, a.discarded)
    seeds = tuple(dict.fromkeys(a.seed)) or (1,)
    setting = Setting(
        shape, Sent(a.gateways, a.telegrams, a.type, interval_s=a.interval_s), sentence, a.seconds,
        min(a.workers or (0 if a.scheduler else 1), a.gateways), seeds[0],
        (a.takers or (TAKERS,))[0] if shared else 0, None if a.link_mbit is None else a.link_mbit * 125_000,
        a.scheduler,
    )  # fmt: skip
    start = float(a.gateways) if a.start is None else a.start
    return Asked(
        setting, min(start, a.most), a.most, a.to, a.tries, a.at, a.beside, seeds, _pairs(a, shape.id, shared=shared)
    )


def _pairs(arguments: argparse.Namespace, shape: str, *, shared: bool) -> int:
    """Rounds of pairs. Raises CannotRun where they are asked for and cannot be."""
    from bench.load.paired_trial import gateways_least

    asked_, least = arguments.pairs, gateways_least()
    if asked_ and shared:
        raise CannotRun(f"--pairs is of a portal, and --shape {shape} has none; leave it out")
    if asked_ and arguments.gateways < least:
        raise CannotRun(
            f"--pairs needs full takes, and {arguments.gateways} gateways may not have so much in flight; take "
            f"--gateways {least} or more"
        )
    if asked_ is None:
        return 1 if arguments.beside == "search" and not shared and arguments.gateways >= least else 0
    return int(asked_)


def broker_of(arguments: argparse.Namespace, asked_: Any, folder: Path) -> Any:
    """Raises CannotRun."""
    from bench.broker.broker_target import found_address
    from bench.load.brokers import GivenBroker, OwnBroker
    from sim.endpoint.registry import ENDPOINTS

    a = arguments
    if a.broker is None:
        if given := [one for one in ("ca", "identities", "pid") if getattr(a, one) is not None]:
            raise CannotRun(f"--{given[0]} is of a broker that is given; name it with --broker HOST:PORT")
        ready = ENDPOINTS.find(a.endpoint).readiness()
        if not ready.ok:
            raise CannotRun(f"--endpoint {a.endpoint}: {ready.detail}; {ready.way_out}")
        if (asked_.beside != "none" or asked_.pairs) and shutil.which("mosquitto_pub") is None:
            raise CannotRun(
                "no program mosquitto_pub is on the PATH; install mosquitto-clients, or say --beside none without "
                "--pairs"
            )
        return OwnBroker(a.endpoint, folder / "pki", asked_.setting.takers)
    host, port = a.broker
    if a.ca is None or a.identities is None:
        raise CannotRun("--broker needs --ca and --identities: every gateway comes with its own certificate")
    found = found_address(host, port, own=a.i_own_this)
    from sim.endpoint.port import Address

    loopback = ip_address(found.host.partition("%")[0]).is_loopback
    broker = GivenBroker(
        Address(host, port), host, a.identities, a.ca, a.pid, loopback=loopback, own=a.i_own_this
    )
    if broker.died():
        raise CannotRun(f"--pid {a.pid}: there is no such process; name the broker's, or leave it out")
    for name in ("portal", "gw0"):
        broker.identity(name)
    return broker


def _most(text: str) -> int | None:
    return None if text == "any" else count(0, 999_999_999)(text)
