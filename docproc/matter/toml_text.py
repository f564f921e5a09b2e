"""Text of a matter file or layout to data, whoever wrote it: what is too deep, too long or out of measure is refused.

The standard parser recurses for each bracket, compares each prefix of a dotted key, and knows numbers and escapes
that nothing after it can work with.
"""

from __future__ import annotations

import math
import re
import tomllib

from docproc.canonical import JsonObject
from docproc.errors import CatalogueError
from docproc.matter.toml_lines import line_of

MOST_CHARACTERS = 256_000
"""Of one file; the longest that ships has 23,000."""
DEEPEST = 12
"""Tables in tables, and lists in lists."""
LARGEST = 1e9
_WORD = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w.\"'-]){_WORD}(?:[ \t]*+\.[ \t]*+{_WORD}){{{DEEPEST},}}+")


def parse_toml(file: str, text: str) -> JsonObject:
    """The data of a file.

    Raises:
        CatalogueError: it is not TOML, or beyond the limits above; with file, line, problem and remedy.
    """
    if len(text) > MOST_CHARACTERS:
        raise CatalogueError(
            file, 1, f"over {MOST_CHARACTERS} characters", "divide it, or leave out what is not needed"
        )
    long_key = _LONG_KEY.search(text)
    if long_key is not None:
        raise CatalogueError(file, text.count("\n", 0, long_key.start()) + 1, "a key of too many parts", "shorten it")
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise CatalogueError(file, 1, "tables or lists too deep in each other", "lay them flat") from None
    except ValueError as error:  # also where a number has thousands of digits, or a date is none
        line = getattr(error, "lineno", None) or line_of(text, (), hint=str(error))
        raise CatalogueError(file, line, f"not TOML: {str(error)[:200]}", "mend the syntax at this place") from None
    _check(file, text, data)
    return data


def _check(file: str, text: str, data: JsonObject) -> None:
    """Refuse what nothing can work with; without recursion, for the data may be deep."""
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(data, ())]
    while waiting:
        item, where = waiting.pop()
        problem = ""
        if len(where) > DEEPEST * 2:
            problem = "too deep"
        elif isinstance(item, dict):
            waiting += [(inner, (*where, key)) for key, inner in item.items()]
            if any("\0" in key for key in item):
                problem = "a key with a null"
        elif isinstance(item, list):
            waiting += [(inner, (*where, place)) for place, inner in enumerate(item)]
        elif isinstance(item, str) and "\0" in item:
            problem = "a text with a null"
        elif isinstance(item, float) and not math.isfinite(item):
            problem = "no number"
        elif isinstance(item, (int, float)) and abs(item) > LARGEST:
            problem = f"a number over {LARGEST:.0e}"
        if problem:
            name = ".".join(map(str, where[:DEEPEST]))
            raise CatalogueError(file, line_of(text, where[:DEEPEST]), f"{name}: {problem}", "correct the value")
