"""How long the ranks of a group rest when there is nothing to do."""

from __future__ import annotations

ALONE_SECONDS = 0.25
"""A rank without peers only looks whether it should stop; a request wakes it at once."""

SHORTEST_SECONDS = 0.004
LONGEST_SECONDS = 0.032
"""Also what a request may wait for the other ranks to wake: half of it on average."""


class IdlePause:
    """Rests of ranks that have peers.

    Each time they meet costs messages and some of Python's time on all nodes. So all ranks rest for about the same time before they meet again, longer the longer
    nothing came.
    """

    def __init__(self, world: int) -> None:
        self._world = world
        self._seconds = SHORTEST_SECONDS

    def next(self) -> float:
        """Seconds of the next rest."""
        if self._world == 1:
            return ALONE_SECONDS
        seconds = self._seconds
        self._seconds = min(2 * seconds, LONGEST_SECONDS)
        return seconds

    def reset(self) -> None:
        """There was work: more may follow soon."""
        self._seconds = SHORTEST_SECONDS
