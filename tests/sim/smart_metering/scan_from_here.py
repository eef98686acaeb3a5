"""What answers, seen from the network namespace that this runs in: a scan by connections, datagrams and echo requests.

    python scan_from_here.py ADDRESS...    one JSON object: address -> {"tcp": {port: what}, "udp": {...}, "echo": bool}

Ports that say nothing are left out. A refusal is an answer: it tells that somebody is there.
"""

from __future__ import annotations

import errno
import json
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

PORTS = (*range(1, 1_025), 1_883, 4_059, 4_060, 4_061, 5_432, 8_080, 8_443, 8_883)
PATIENCE_S = 5.0
ECHO, ECHO_REPLY = 8, 0
NOBODY = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT)
"""What this machine's own kernel says where nobody answered it: at once, too, after it asked in vain for a while."""
SHORT = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL)
"""It has no room for the question at the moment: nothing was asked, so it is asked again."""
TIMES = 50


def asked(ask: Callable[[], int]) -> int:
    """The errno of what `ask` asks, once there was room for it. Raises OSError if there never is."""
    for _ in range(TIMES):
        if (error := ask()) not in SHORT:
            return error
        time.sleep(0.1)
    raise OSError(error, f"asked {TIMES} times in vain")


def sent(made: socket.socket) -> int:
    try:
        made.send(b"anybody?")
    except OSError as error:
        return error.errno or 0
    return 0


def tcp(address: str) -> dict[int, str]:
    found: dict[int, str] = {}
    open_: dict[int, tuple[int, socket.socket]] = {}
    poll = select.poll()
    for port in PORTS:
        made = socket.socket()
        made.setblocking(False)
        error = asked(partial(made.connect_ex, (address, port)))
        if error not in (0, errno.EINPROGRESS):
            if error not in NOBODY:
                found[port] = errno.errorcode.get(error, str(error))
            made.close()
            continue
        open_[made.fileno()] = port, made
        poll.register(made, select.POLLOUT)
    while open_ and (ready := poll.poll(PATIENCE_S * 1_000)):
        for fd, _ in ready:
            port, made = open_.pop(fd)
            error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error not in NOBODY:
                found[port] = "open" if not error else errno.errorcode.get(error, str(error))
            poll.unregister(fd)
            made.close()
    for _, made in open_.values():
        made.close()
    return found


def udp(address: str) -> dict[int, str]:
    found: dict[int, str] = {}
    made = {}
    for port in PORTS:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setblocking(False)
        one.connect((address, port))
        asked(partial(sent, one))
        made[port] = one
    select.select([], [], [], PATIENCE_S)
    for port, one in made.items():
        try:
            one.recv(100)
            found[port] = "answered"
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno not in NOBODY:
                found[port] = errno.errorcode.get(error.errno or 0, str(error))
        one.close()
    return found


def echo(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as made:
        made.settimeout(PATIENCE_S)
        body = struct.pack("!BBHHH", ECHO, 0, 0, 0x574D, 1)
        total = sum(struct.unpack("!4H", body))
        check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        with suppress(OSError):
            made.sendto(struct.pack("!BBHHH", ECHO, 0, check, 0x574D, 1), (address, 0))
            while True:
                said = made.recv(2_048)
                if said[20] == ECHO_REPLY:
                    return True
    return False


if __name__ == "__main__":
    with ThreadPoolExecutor() as side_by_side:
        wanted = [
            (side_by_side.submit(tcp, one), side_by_side.submit(udp, one), side_by_side.submit(echo, one))
            for one in sys.argv[1:]
        ]
    found = [dict(zip(("tcp", "udp", "echo"), (one.result() for one in three), strict=True)) for three in wanted]
    print(json.dumps(dict(zip(sys.argv[1:], found, strict=True))))
