"""awscrt's own test suite against the companion: tests that Amazon wrote, unchanged, and of which many say what the
service answers.

    python -m tests.tools.aws_crt_suite CHECKOUT [--only NAME ...] [--json]

CHECKOUT: github.com/awslabs/aws-crt-python at the tag of the awscrt that is installed. It is read and not changed. The
suite is steered by environment variables, dials port 8883 and trusts what the system trusts. So it runs in namespaces
of its own (`unshare -rmn`): a loopback of its own, and a copy of the system's authorities with ours among them. A test
without its variable skips in silence: each skip is counted with its variable.

Exit code 1 when a test failed, 2 when the suite could not be run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import EndpointError

MODULES: Final = ("test.test_mqtt5", "test.test_mqtt", "test.test_mqtt_request_response", "test.test_mqtt5to3_adapter")
PORT: Final = 8_883  # written out in the suite
AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")  # where awscrt looks
ROOT: Final = Path(__file__).resolve().parents[2]
FINE, FAILED, NOT_RUN = 0, 1, 2
_MODULE_S: Final = 1_500


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of the tests of one module. `failed`: their names; `skipped`: reason -> how often."""

    module: str
    passed: int
    failed: tuple[str, ...]
    skipped: Mapping[str, int]


def counted(module: str, said: str) -> Counted:
    """From what `python -m unittest -v` writes to its standard error."""
    results: dict[str, str] = {}
    name = ""
    for line in said.splitlines():
        if begun := re.match(r"(test_\w+) \(", line):
            name = begun[1]
        ended = re.search(r"(?:\.\.\. |^)(ok|FAIL|ERROR|skipped ['\"].*['\"])$", line)
        if name and ended:
            results[name], name = ended[1], ""
    skips = Counter(word[8:].strip("'\"") for word in results.values() if word.startswith("skipped"))
    failed = tuple(sorted(one for one, word in results.items() if word in ("FAIL", "ERROR")))
    return Counted(module, sum(word == "ok" for word in results.values()), failed, dict(sorted(skips.items())))


def variables(local: AwsLocal) -> dict[str, str]:
    """By which the suite finds the companion."""
    identity = local.identity("aws-crt-python")
    files = {"CERT": str(identity.certificate), "KEY": str(identity.key)}
    found = {}
    for version in ("MQTT5", "MQTT311"):
        found |= {f"AWS_TEST_{version}_IOT_CORE_{kind}HOST": "localhost" for kind in ("", "TLS13_")}
        for kind in ("RSA", "ECC"):
            found |= {f"AWS_TEST_{version}_IOT_CORE_{kind}_{name}": path for name, path in files.items()}
    return found | {"AWS_TEST_MQTT5_IOT_CERTIFICATE_PATH": files["CERT"], "AWS_TEST_MQTT5_IOT_KEY_PATH": files["KEY"]}


def inside(checkout: Path, only: list[str]) -> list[Counted]:
    """In the namespaces. Raises EndpointError, OSError, CalledProcessError."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="wmbench-crt-") as folder:
        spec = AwsLocalSpec(per_device_acl=False, bind_client_id=False, enforce_rates=True)
        local = AwsLocal(Path(folder) / "endpoint", spec, port=PORT)
        local.start()
        try:
            bundle = Path(folder) / "authorities.pem"
            bundle.write_bytes(AUTHORITIES.read_bytes() + local.authority.certificate.read_bytes())
            subprocess.run(["mount", "--bind", str(bundle), str(AUTHORITIES)], check=True)
            environment = {**os.environ, **variables(local), "PYTHONDONTWRITEBYTECODE": "1"}
            names = [word for one in only for word in ("-k", one)]
            found = []
            for module in MODULES:
                done = subprocess.run(
                    [sys.executable, "-m", "unittest", "-v", *names, module], cwd=checkout, env=environment,
                    capture_output=True, text=True, errors="replace", timeout=_MODULE_S, check=False,
                )  # fmt: skip
                print(done.stderr, file=sys.stderr, flush=True)
                found.append(counted(module, done.stderr))
            broken = Counter(one["limit"] for one in local.enforced())
            print(f"rules that the suite broke: {dict(broken)}", file=sys.stderr)
            return found
        finally:
            local.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="tests whose names hold this")
    parser.add_argument("--json", action="store_true", help="one object a module")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not (asked.checkout / "test" / "test_mqtt5.py").is_file():
        print(f"aws_crt_suite: {asked.checkout} holds no test/test_mqtt5.py; name a checkout of aws-crt-python")
        return NOT_RUN
    if not asked.inside:
        again = [sys.executable, "-m", "tests.tools.aws_crt_suite", *sys.argv[1:], "--inside"]
        return subprocess.run(["unshare", "-rmn", *again], cwd=ROOT, check=False).returncode
    try:
        found = inside(asked.checkout.resolve(), asked.only)
    except (EndpointError, OSError, subprocess.SubprocessError) as error:
        print(f"aws_crt_suite: {error}", file=sys.stderr)
        return NOT_RUN
    for one in found:
        print(json.dumps({"awscrt": importlib.metadata.version("awscrt"), **asdict(one)}) if asked.json else lines(one))
    return FAILED if any(one.failed for one in found) else FINE


def lines(one: Counted) -> str:
    """For people."""
    head = f"{one.module}: {one.passed} passed, {len(one.failed)} failed, {sum(one.skipped.values())} skipped"
    return "\n".join([head, *(f"  failed: {name}" for name in one.failed),
                      *(f"  skipped {count}: {why}" for why, count in one.skipped.items())])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
