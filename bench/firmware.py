"""Which version of what is under test a run was made with, for run.json and junit.xml: what --firmware says, else what
wmbench.toml says, else what the inventory's gateways say."""

from __future__ import annotations

from sim.core import own


def version(option: str | None = None) -> str:
    """One line; "" if no version was given. Raises SpecError."""
    if option:
        return option
    if said := own.spec().firmware:
        return said
    repository = own.root()
    path = repository / "inventory.toml" if repository is not None else None
    if path is None or not path.is_file():
        return ""
    from sim.desk import inventory  # feeders and readers, which only a desk needs

    return ", ".join(f"{one.name} {one.firmware}" for one in inventory.load(path).gateway if one.firmware)
