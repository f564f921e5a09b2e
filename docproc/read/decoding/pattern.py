"""Shapes of a written value: alternatives of slots, walked one character at a time.

A search that grows readings from the left asks a :class:`Pattern` which of them can still become admissible. States
are small integers, so a walk costs one look-up a character.
"""

from __future__ import annotations

from collections.abc import Iterable

from docproc.fields.spelling import Shape, Slot

DEAD = -1
"""State from which nothing is admissible."""
START = 0
_Place = tuple[int, int, int]
"""Which alternative, which slot of it, how many characters in that slot."""


class Pattern:
    """Alternatives of slot sequences; a lazily built automaton over all of them at once."""

    def __init__(self, *alternatives: Iterable[Slot]) -> None:
        """Start at the beginning of every alternative."""
        self.alternatives: tuple[Shape, ...] = tuple(tuple(slots) for slots in alternatives)
        self._moves: dict[tuple[int, str], int] = {}
        self._places: list[frozenset[_Place]] = []
        self._numbers: dict[frozenset[_Place], int] = {}
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
        """Whether what was read so far is whole."""
        return any(slot == len(self.alternatives[i]) for i, slot, _ in self._places[state])

    def matches(self, text: str) -> bool:
        """Whether a whole text has this shape."""
        state = START
        for char in text:
            state = self.step(state, char)
            if state == DEAD:
                return False
        return self.accepts(state)

    def _after(self, state: int, char: str) -> Iterable[_Place]:
        for i, slot, count in self._places[state]:
            if slot < len(self.alternatives[i]):
                kind = self.alternatives[i][slot]
                if char in kind.chars and (kind.most is None or count < kind.most):
                    # Without an upper limit only the way to the lower one is counted, so that the states stay few.
                    yield i, slot, count + 1 if kind.most is not None else min(count + 1, kind.least)

    def _closed(self, places: Iterable[_Place]) -> frozenset[_Place]:
        """Add the places reached by leaving slots that have enough."""
        todo, done = list(places), set[_Place]()
        while todo:
            place = todo.pop()
            if place not in done:
                done.add(place)
                i, slot, count = place
                if slot < len(self.alternatives[i]) and count >= self.alternatives[i][slot].least:
                    todo.append((i, slot + 1, 0))
        return frozenset(done)

    def _number(self, places: frozenset[_Place]) -> int:
        if not places:
            return DEAD
        if places not in self._numbers:
            self._numbers[places] = len(self._places)
            self._places.append(places)
        return self._numbers[places]
