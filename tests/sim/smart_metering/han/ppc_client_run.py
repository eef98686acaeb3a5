"""What the foreign client does, as a program under its own Python: log in, read, export, log out.

    PYTHON ppc_client_run.py PORT USER CERTIFICATE     the password on standard input

It prints one object. It imports nothing of ours: py-ppc-smgw, httpx and their dependencies alone.
"""

import asyncio
import json
import logging
import ssl
import sys

import httpx
from py_ppc_smgw import PPCSMGWClient, __version__
from py_ppc_smgw.errors import LoginFailedError


async def run(port: str, user: str, certificate: str, pin: str) -> dict:
    trusting = ssl.create_default_context(cafile=certificate)
    url = f"https://localhost:{port}/cgi-bin/hanservice.cgi"
    logger = logging.getLogger("client")
    said: dict = {"version": __version__}
    async with httpx.AsyncClient(verify=trusting) as http:
        wrong = PPCSMGWClient(url, user, pin + "0", http, logger)
        try:
            await wrong.login()
        except LoginFailedError:
            said["wrong password"] = "refused"
    async with httpx.AsyncClient(verify=trusting) as http:
        client = PPCSMGWClient(url, user, pin, http, logger)
        await client.login()
        meters = await client.get_meters()
        said["meters"] = [[one.mid, one.name] for one in meters]
        reading = await client.get_meter_reading(meters[0])
        said["reading"] = {str(obis): [one.value, one.timestamp.isoformat()] for obis, one in reading.items()}
        profile = await client.get_meter_profile(meters[0])
        said["profile"] = [profile.device_identifier, profile.samplerate_s, profile.active, len(profile.captured_obis)]
        entries = await client.export_meter_values(meters[0], "2026-03-02T01:00:00", "2026-03-03T01:00:00")
        said["entries"] = [[one.value_kwh, one.status, one.capture_time.isoformat()] for one in entries]
        said["signatures"] = len({one.signature for one in entries})
        said["firmware"] = [[one.component, one.version, one.checksum] for one in await client.get_firmware_versions()]
        await client.logout()
        said["session"] = client.session_active()
    return said


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(*sys.argv[1:4], sys.stdin.read()))))
