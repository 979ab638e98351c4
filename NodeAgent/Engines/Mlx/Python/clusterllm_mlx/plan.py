"""Which rank holds which layers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BACKENDS = ("ring", "jaccl")


class PlanError(ValueError):
    """A plan that can't be carried out; the message says which entry and why."""


@dataclass(frozen=True)
class Plan:
    """Half-open layer ranges by rank. Rank 0 is the last stage: it samples and serves HTTP; rank N-1 holds the embeddings."""

    group: str
    ranges: tuple[tuple[int, int], ...]
    rank: int
    backend: str = "ring"

    def __post_init__(self) -> None:
        if not self.ranges:
            raise PlanError("The plan has no ranks.")
        if self.backend not in BACKENDS:
            raise PlanError(f"Backend '{self.backend}' is unknown: use one of {', '.join(BACKENDS)}.")
        if not 0 <= self.rank < len(self.ranges):
            raise PlanError(f"Rank {self.rank} is outside the plan of {len(self.ranges)} ranks.")
        expected = 0
        for rank in range(len(self.ranges) - 1, -1, -1):
            first, end = self.ranges[rank]
            if first != expected:
                raise PlanError(f"Rank {rank} begins at layer {first}, but layer {expected} comes next: every layer must be covered exactly once.")
            if end <= first:
                raise PlanError(f"Rank {rank} has no layers: [{first}, {end}).")
            expected = end

    @property
    def world(self) -> int:
        return len(self.ranges)

    @property
    def layers(self) -> int:
        """Layers of the whole model."""
        return self.ranges[0][1]

    @property
    def first_layer(self) -> int:
        return self.ranges[self.rank][0]

    @property
    def end_layer(self) -> int:
        return self.ranges[self.rank][1]

    @property
    def is_first_stage(self) -> bool:
        return self.rank == self.world - 1

    @property
    def is_last_stage(self) -> bool:
        return self.rank == 0


@dataclass(frozen=True)
class Assignment:
    """What this rank was told: its own layers. What the others were told is compared once they are connected."""

    group: str
    world: int
    rank: int
    first_layer: int
    end_layer: int
    backend: str = "ring"

    def with_ranges(self, ranges: list[list[int]]) -> Plan:
        """The plan that all ranks together make; every layer must be covered exactly once."""
        return Plan(self.group, tuple((first, end) for first, end in ranges), self.rank, self.backend)


def parse_assignment(text: str, rank: int) -> Assignment:
    """Reads `{"group": "g1", "ranks": [[12, 30], [0, 12]], "backend": "ring"}`, or only this rank's own part: `{"group": "g1", "world": 2, "layers": [0, 12]}`."""
    try:
        data: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise PlanError(f"The plan is no JSON: {error}.") from error
    if not isinstance(data, dict):
        raise PlanError("The plan must be an object with 'ranks', a list of [first, end) pairs, or with 'world' and 'layers'.")
    backend = data.get("backend", "ring")
    if "ranks" in data:
        plan = Plan(str(data.get("group", "")), _ranges(data), rank, backend)
        return Assignment(plan.group, plan.world, rank, plan.first_layer, plan.end_layer, backend)
    first, end = _pair(rank, data.get("layers"))
    world = data.get("world")
    if type(world) is not int or not 0 <= rank < world:
        raise PlanError(f"World {world!r} does not fit rank {rank}.")
    if not 0 <= first < end:
        raise PlanError(f"Rank {rank} has no layers: [{first}, {end}).")
    return Assignment(str(data.get("group", "")), world, rank, first, end, backend)


def read_assignment(path: Path, rank: int) -> Assignment:
    return parse_assignment(path.read_text("utf-8"), rank)


def _ranges(data: dict[str, Any]) -> tuple[tuple[int, int], ...]:
    if not isinstance(data["ranks"], list):
        raise PlanError("The plan's 'ranks' must be a list of [first, end) pairs.")
    ranges = tuple(_pair(index, entry) for index, entry in enumerate(data["ranks"]))
    if data.get("world", len(ranges)) != len(ranges):
        raise PlanError(f"The plan says world {data['world']}, but lists {len(ranges)} ranks.")
    return ranges


def _pair(rank: int, entry: Any) -> tuple[int, int]:
    if not isinstance(entry, list) or len(entry) != 2 or not all(type(value) is int for value in entry):
        raise PlanError(f"Rank {rank} must be a pair of whole numbers [first, end), not {entry!r}.")
    return entry[0], entry[1]
