"""The shape of a value: alternative slot sequences, compiled lazily to a finite automaton.

The beam search asks a :class:`Pattern` which prefixes can still become admissible. States are small integers, so a step
costs one look-up.
"""

from __future__ import annotations

from collections.abc import Iterable

from docproc.fields.spelling import Shape, Slot

DEAD = -1
"""State without admissible continuation."""
START = 0
_Position = tuple[int, int, int]
"""Index of the alternative, index of its slot, number of characters in that slot."""


class Pattern:
    """Alternative slot sequences, as one lazily built deterministic automaton."""

    def __init__(self, *alternatives: Iterable[Slot]) -> None:
        """Create the automaton of the alternatives."""
        self.alternatives: tuple[Shape, ...] = tuple(tuple(slots) for slots in alternatives)
        self._moves: dict[tuple[int, str], int] = {}
        self._positions: list[frozenset[_Position]] = []
        self._numbers: dict[frozenset[_Position], int] = {}
        self._number(self._closed((i, 0, 0) for i in range(len(self.alternatives))))

    def __contains__(self, char: str) -> bool:
        """Whether the character occurs in any slot."""
        return any(char in slot.chars for slots in self.alternatives for slot in slots)

    def step(self, state: int, char: str) -> int:
        """Return the state after one more character, :data:`DEAD` where it is not admissible."""
        move = self._moves.get((state, char))
        if move is None:
            move = self._moves[state, char] = self._number(self._closed(self._after(state, char)))
        return move

    def accepts(self, state: int) -> bool:
        """Whether the text read so far is complete."""
        return any(slot == len(self.alternatives[i]) for i, slot, _ in self._positions[state])

    def matches(self, text: str) -> bool:
        """Whether a complete text has this shape."""
        state = START
        for char in text:
            state = self.step(state, char)
            if state == DEAD:
                return False
        return self.accepts(state)

    def _after(self, state: int, char: str) -> Iterable[_Position]:
        for i, slot, count in self._positions[state]:
            if slot < len(self.alternatives[i]):
                kind = self.alternatives[i][slot]
                if char in kind.chars and (kind.most is None or count < kind.most):
                    # Without an upper limit, counting stops at the lower limit, which keeps the states few.
                    yield i, slot, count + 1 if kind.most is not None else min(count + 1, kind.least)

    def _closed(self, positions: Iterable[_Position]) -> frozenset[_Position]:
        """Add the positions reached by leaving slots that have their minimum."""
        todo, done = list(positions), set[_Position]()
        while todo:
            position = todo.pop()
            if position not in done:
                done.add(position)
                i, slot, count = position
                if slot < len(self.alternatives[i]) and count >= self.alternatives[i][slot].least:
                    todo.append((i, slot + 1, 0))
        return frozenset(done)

    def _number(self, positions: frozenset[_Position]) -> int:
        if not positions:
            return DEAD
        if positions not in self._numbers:
            self._numbers[positions] = len(self._positions)
            self._positions.append(positions)
        return self._numbers[positions]
