"""`./wmbench init FOLDER`: a repository of your own, whose parts and scenarios are found beside ours.

What it is made of lies in bench/repository/ as it is written, but for the place of this checkout. What is there already
is kept and said.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from bench.options import Commands
from bench.run_directory import ROOT
from bench.run_errors import CannotRun
from sim.core.own import SETTINGS

TEMPLATE: Final = ROOT / "bench" / "repository"
FILES: Final = {
    SETTINGS: SETTINGS,
    "wmbench": "wmbench",
    "conftest.py": "conftest.py",
    "pytest.ini": "pytest.ini",
    ".gitignore": "gitignore",
    "inventory.toml": "inventory.toml",
    "worlds/first.toml": "world.toml",
    "scenarios/test_first.py": "test_first.py",
    "attacks/.gitkeep": "",
    "meters/.gitkeep": "",
}
"""File of the new repository -> file of the template; "": it is empty."""
CI: Final = {
    "github": (".github/workflows/wmbench.yml", "ci/github.yml"),
    "gitlab": (".gitlab-ci.yml", "ci/gitlab.yml"),
    "jenkins": ("Jenkinsfile", "ci/Jenkinsfile"),
}
_PYTEST: Final = {"pyproject.toml": "[tool.pytest", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}


def add(commands: Commands) -> None:
    """`init` on the command line."""
    one = commands.add_parser("init")
    one.add_argument("folder", metavar="FOLDER", type=Path, help="new, or one that is there: no file is overwritten")
    one.add_argument("--ci", choices=[*CI, "none"], default="github", help="for which CI a file is written (github)")
    one.set_defaults(command=command)


def command(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, OSError."""
    folder: Path = arguments.folder
    if folder.resolve().is_relative_to(ROOT):
        raise CannotRun(f"{folder} is inside the checkout of wmbench: name a folder beside it")
    if folder.exists() and not folder.is_dir():
        raise CannotRun(f"{folder} is a file: name a folder")
    for name, made in write(folder, arguments.ci).items():
        print(f"{'made' if made else 'kept'}  {folder / name}")
    print(f"next: cd {folder} && ./wmbench run    (docs/how-to/keep-your-own-repository.md)")
    return 0


def write(folder: Path, ci: str) -> dict[str, bool]:
    """File -> whether it was made; False: there was one. Raises OSError."""
    files = dict([*FILES.items(), *([CI[ci]] if ci in CI else [])])
    if _has_pytest_settings(folder):
        del files["pytest.ini"]
    made = {}
    for name, source in files.items():
        path = folder / name
        made[name] = not path.exists()
        if made[name]:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (TEMPLATE / source).read_text(encoding="utf-8") if source else ""
            if name == SETTINGS:
                text = text.replace("{home}", _escaped(os.path.relpath(ROOT, folder.resolve())))
            path.write_text(text, encoding="utf-8")
            if name == "wmbench":
                path.chmod(0o755)
    return made


def _has_pytest_settings(folder: Path) -> bool:
    """The user's own stand elsewhere; a pytest.ini would go before them."""
    return any(
        head in (folder / name).read_text(encoding="utf-8", errors="replace")
        for name, head in _PYTEST.items()
        if (folder / name).is_file()
    )


def _escaped(path: str) -> str:
    """As it stands in a TOML text."""
    return path.replace("\\", "\\\\").replace('"', '\\"')
