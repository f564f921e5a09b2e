"""Find the line of a TOML file that a path of keys points at, for messages that a person can act on."""

from __future__ import annotations

import re


def line_of(text: str, path: tuple[str | int, ...], hint: str = "") -> int:
    """1-based line of the deepest part of ``path`` that can be found in the text.

    Args:
        text: the whole TOML file.
        path: keys and 0-based indexes, such as ``("form", 0, "field", 3, "type")``.
        hint: a parser's message; ``line N`` in it is used when the path is empty.
    """
    if not path:
        match = re.search(r"line (\d+)", hint)
        return int(match.group(1)) if match else 1
    lines = text.splitlines()
    start, stop = 0, len(lines)
    names: list[str] = []
    place = 0
    while place < len(path):
        key = path[place]
        if not isinstance(key, str):
            place += 1
            continue
        index = path[place + 1] if place + 1 < len(path) and isinstance(path[place + 1], int) else None
        names.append(key)
        found = _table(lines, start, stop, ".".join(names), int(index or 0))
        if found is None:
            return _key(lines, start, stop, key) or start + 1
        start, stop = found
        place += 2 if index is not None else 1
    return start + 1


def _table(lines: list[str], start: int, stop: int, name: str, index: int) -> tuple[int, int] | None:
    header = re.compile(rf"\s*\[\[?\s*{re.escape(name)}\s*\]\]?")
    places = [n for n in range(start, stop) if header.match(lines[n])]
    if index >= len(places):
        return None
    first = places[index]
    depth = name.count(".")
    for n in range(first + 1, stop):
        other = re.match(r"\s*\[\[?\s*([\w.]+)\s*\]\]?", lines[n])
        if other and (other.group(1).count(".") <= depth):
            return first, n
    return first, stop


def _key(lines: list[str], start: int, stop: int, key: str) -> int | None:
    for n in range(start, stop):
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[n]):
            return n + 1
    return None
