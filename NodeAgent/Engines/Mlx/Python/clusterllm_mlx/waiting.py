"""Lets the threads of MLX's ring sleep while they wait for a neighbour.

The ring makes its sockets non-blocking and asks them without a pause as long as something is to be received. That takes a core per rank, and where cores are few each
step waits for the scheduler several times. Whether a socket blocks belongs to the socket, not to the ring: made to block again, it lets the ring's thread sleep until
bytes come. A thread serves both directions of its socket, so each wait has an end, after which the thread looks whether there is something to send. The ring uses both
directions of one socket at once only for messages of more than a megabyte.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator

LONGEST_WAIT_SECONDS = 0.01


@contextlib.contextmanager
def instead_of_polling() -> Iterator[None]:
    """Connections that are made inside, and still open at its end, wait for bytes, or for room, instead of saying at once that there are none."""
    before = connections()
    yield
    for fd in connections() - before:
        _let_wait(fd)


def connections() -> set[int]:
    """Descriptors of this process's TCP connections."""
    return {fd for fd in map(int, os.listdir("/dev/fd")) if _is_connection(fd)}


def _let_wait(fd: int) -> None:
    # A struct timeval; on macOS the second field is half as long, which little-endian machines read the same.
    limit = struct.pack("ll", 0, int(LONGEST_WAIT_SECONDS * 1_000_000))
    with socket.socket(fileno=os.dup(fd)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    os.set_blocking(fd, True)


def _is_connection(fd: int) -> bool:
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            return False
        with socket.socket(fileno=os.dup(fd)) as candidate:
            candidate.getpeername()
            return candidate.type == socket.SOCK_STREAM and candidate.family in (socket.AF_INET, socket.AF_INET6)
    except OSError:
        # Not connected, or the descriptor that the listing itself had.
        return False
