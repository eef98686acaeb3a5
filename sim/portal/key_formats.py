"""Lists of keys in clear as other programs want them, and ours: how keys go out (key_files is how they come in).

    csv           `address,key[,until]`, see keyring
    wmbusmeters   a folder of one file a meter, as wmbusmeters reads it from /etc/wmbusmeters.d:

                      name=QDS_10000001_36_08
                      driver=auto
                      id=10000001.M=QDS.V=36.T=08
                      key=00112233445566778899AABBCCDDEEFF

wmbusmeters knows one key a meter, so the key before a renewal does not go out this way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

from sim.portal.keyring import Keyring, KeyringError, write_private

Format = Literal["csv", "wmbusmeters"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def save(keyring: Keyring, path: Path, form: Format) -> None:
    """Files of mode 0600. Raises KeyringError where something stands there, OSError."""
    if path.exists():
        raise KeyringError(f"{path} is there already; name another place, or move it away")
    if form == "csv":
        keyring.save(path)
        return
    path.mkdir(mode=0o700, parents=True)
    for address, key, until in keyring.every():
        if until is None:
            name = str(address).replace(" ", "_")
            maker, number, version, kind = str(address).split()
            whole = f"{number}.M={maker}.V={version}.T={kind}"
            write_private(path / name, f"name={name}\ndriver=auto\nid={whole}\nkey={key.hex().upper()}\n")
