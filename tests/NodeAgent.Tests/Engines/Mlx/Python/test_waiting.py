"""Ranks that wait for each other sleep."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from clusterllm_mlx import waiting
from group import PACKAGE, free_ports

# Rank 0 waits a second for rank 1, then both say how much processor time they took from there on. Then more than a megabyte goes both ways on both sockets.
RANK = """
import json, sys, time
import mlx.core as mx
from clusterllm_mlx import waiting

with waiting.instead_of_polling():
    group = mx.distributed.init(strict=True, backend="ring")
mx.eval(mx.distributed.all_sum(mx.array(1), stream=mx.cpu))
before = time.process_time()
if group.rank() == 0:
    value = mx.distributed.recv((4,), mx.float32, 1, stream=mx.cpu).tolist()
else:
    time.sleep(1)
    mx.eval(mx.distributed.send(mx.array([1.0, 2.0, 3.0, 4.0]), 0, stream=mx.cpu))
    value = None
used = time.process_time() - before
began = time.monotonic()
large = mx.distributed.all_sum(mx.ones((1 << 20,)), stream=mx.cpu)
print(json.dumps({"used": used, "value": value, "sum": float(large.min()) + float(large.max()), "seconds": time.monotonic() - began}))
"""


def test_a_rank_that_waits_uses_no_processor_and_large_messages_pass_both_ways(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.json"
    hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in free_ports(2)]), "utf-8")
    ranks = [
        subprocess.Popen([sys.executable, "-c", RANK], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(PACKAGE), "MLX_RANK": str(rank), "MLX_HOSTFILE": str(hosts)})
        for rank in range(2)]
    try:
        first, second = (json.loads(rank.communicate(timeout=60)[0]) for rank in ranks)
    finally:
        for rank in ranks:
            rank.kill()

    assert first["value"] == [1.0, 2.0, 3.0, 4.0]
    assert first["used"] < 0.3, "a ring that polls takes the whole second"
    assert first["sum"] == second["sum"] == 4.0
    assert max(first["seconds"], second["seconds"]) < 5


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener, waiting.instead_of_polling():
        mine = socket.create_connection(listener.getsockname())
        mine.setblocking(False)
        theirs, _ = listener.accept()
    # Python's own idea of the socket is not the kernel's any more.
    yield socket.socket(fileno=os.dup(mine.fileno())), theirs
    mine.close()
    theirs.close()


def _receive(connection: socket.socket) -> bytes:
    return os.read(connection.fileno(), 10)


def test_a_connection_waits_but_not_for_ever(pair: tuple[socket.socket, socket.socket]) -> None:
    began = time.monotonic()
    with pytest.raises(BlockingIOError):
        _receive(pair[0])
    assert time.monotonic() - began >= waiting.LONGEST_WAIT_SECONDS / 2


def test_a_connection_gives_what_comes_while_it_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    threading.Thread(target=lambda: pair[1].sendall(b"token")).start()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert _receive(pair[0]) == b"token"
            return
        except BlockingIOError:
            continue
    pytest.fail("nothing came")


def test_only_connections_made_inside_are_changed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as before:
        before.setblocking(False)
        with waiting.instead_of_polling():
            pass
        assert before.fileno() in waiting.connections()
        assert listener.fileno() not in waiting.connections()
        assert not os.get_blocking(before.fileno())
