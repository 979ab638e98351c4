"""Starts the ranks of an engine as an agent does, and talks to rank 0."""

from __future__ import annotations

import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[5] / "NodeAgent" / "Engines" / "Mlx" / "Python"
READY_SECONDS = 120


class GroupError(AssertionError):
    """A rank did not do what the test waits for; the message ends with its stderr."""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Rank:
    """One process, its events and its stderr."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self.events: list[dict[str, Any]] = []
        self._arrived: queue.Queue[dict[str, Any] | None] = queue.Queue()
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment, start_new_session=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            self._arrived.put(event)
        self._arrived.put(None)

    def wait_for(self, name: str, seconds: float = READY_SECONDS) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while True:
            try:
                event = self._arrived.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty as error:
                raise GroupError(f"no '{name}' within {seconds} s\n{self.tail()}") from error
            if event is None:
                raise GroupError(f"ended with {self.process.wait(5)} before '{name}': {self.events[-1:]}\n{self.tail()}")
            if event["event"] == name:
                return event

    def wait_exit(self, seconds: float) -> int:
        return self.process.wait(seconds)

    def tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-3000:]


class Group:
    """Ranks [[first, end), …], rank 0 with the last layers, over loopback sockets."""

    def __init__(self, model: Path, ranges: list[list[int]], *options: str, context: int = 512, concurrency: int = 4) -> None:
        self.model, self.ranges = model, ranges
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        plan = folder / "plan.json"
        plan.write_text(json.dumps({"group": "test", "ranks": ranges}), "utf-8")
        world = len(ranges)
        *ring, self.port = free_ports(world + 1)
        hosts = folder / "hosts.json"
        hosts.write_text(json.dumps([[f"127.0.0.1:{port}"] for port in ring]), "utf-8")
        self.ranks: list[Rank] = []
        for rank in range(world):
            environment = {**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONUNBUFFERED": "1", "MLX_DISABLE_COMPILE": "1", "HF_HUB_OFFLINE": "1"}
            if world > 1:
                environment |= {"MLX_RANK": str(rank), "MLX_HOSTFILE": str(hosts)}
            command = [
                sys.executable, "-m", "clusterllm_mlx", "--plan", str(plan), "--rank", str(rank), "--model", str(model),
                "--port", str(self.port if rank == 0 else 0), "--context-tokens", str(context), "--concurrency", str(concurrency), "--watch-parent", *options]
            self.ranks.append(Rank(command, environment, folder / f"rank-{rank}.log"))

    def __enter__(self) -> Group:
        try:
            for rank in self.ranks:
                rank.wait_for("ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for rank in self.ranks:
            if rank.process.poll() is None:
                rank.process.kill()
            rank.process.wait(10)
        self._folder.cleanup()

    def health(self) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/health")
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def post(self, path: str, body: Any, timeout: float = 120) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode())
        return connection.getresponse()

    def stream(self, path: str, **body: Any) -> Answer:
        response = self.post(path, {"stream": True, "stream_options": {"include_usage": True}, **body})
        text = response.read().decode()
        if response.status != 200:
            raise GroupError(f"{response.status}: {text}")
        return Answer(text)

    def complete(self, prompt: str, **body: Any) -> Answer:
        return self.stream("/v1/completions", prompt=prompt, temperature=0, logprobs=True, **body)


class Answer:
    """A stream that was read to its end."""

    def __init__(self, text: str) -> None:
        lines = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
        self.done = bool(lines) and lines[-1] == "[DONE]"
        self.chunks = [json.loads(line) for line in lines if line != "[DONE]"]
        self.keepalives = [line for line in text.split("\n") if line.startswith(": keepalive")]
        facts = [chunk["clusterllm"] for chunk in self.chunks if "clusterllm" in chunk]
        self.count = sum(fact["tokens"] for fact in facts)
        self.entries = [entry for fact in facts for entry in fact.get("logprobs", [])]
        self.tokens = [entry["id"] for entry in self.entries]
        self.logprobs = [entry["logprob"] for entry in self.entries]
        choices = [chunk["choices"][0] for chunk in self.chunks if chunk["choices"]]
        self.text = "".join(choice.get("text", choice.get("delta", {}).get("content", "")) or "" for choice in choices)
        self.finish = choices[-1]["finish_reason"] if choices else None
        self.usage = next((chunk["usage"] for chunk in self.chunks if "usage" in chunk), None)
