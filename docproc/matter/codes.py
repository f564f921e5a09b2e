"""Names that no two matters may share, since numbers are made of them: a number must lead to one licence.

A matter's code stands in the numbers of its applications and of licences that are numbered by matter. Licences with
numbers of their own rule (food licences, credit codes) are counted by kind, so all matters that issue such numbers for
a division must issue one kind. The type code of a kind (GB/T 36903) is part of the electronic licence identifier.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from docproc.errors import CatalogueError
from docproc.matter.model import Matter
from docproc.matter.toml_lines import line_of

Where = tuple[str | int, ...]


def lint_codes(
    matters: Mapping[Path, Matter], names: Collection[str], before: Mapping[str, Matter] | None = None
) -> None:
    """Check files of a catalogue against every other file of it, those of retired matters among them.

    Args:
        matters: every matter of the catalogue as it would be, by its file.
        names: files that are new or changed.
        before: matters in force before, by their ids.

    Raises:
        CatalogueError: with file, line, problem and remedy.
    """
    for path, matter in matters.items():
        if path.name not in names:
            continue
        others = [item for item in matters.values() if item.id != matter.id]
        for where, problem, remedy in (_own(matter, others), _kept(matter, before or {}), *_shared(matter, others)):
            if problem:
                raise CatalogueError(path.name, line_of(path.read_text("utf-8"), where), problem, remedy)


_GOOD: tuple[Where, str, str] = ((), "", "")


def _own(matter: Matter, others: Collection[Matter]) -> tuple[Where, str, str]:
    """It has a code, which no other matter has, written or by its initials."""
    taken = {item.number_code: item.id for item in others}
    if matter.number_code in taken:
        problem = f"code {matter.number_code!r} is that of {taken[matter.number_code]}"
        return ("code",), problem, f"give it a code of its own; taken are {', '.join(sorted(taken))}"
    if matter.code is None:
        return (), "no code", f'add code = "{matter.number_code}"'
    return _GOOD


def _kept(matter: Matter, before: Mapping[str, Matter]) -> tuple[Where, str, str]:
    """A code that numbers were made of stays, unless it was another matter's as well."""
    old = before.get(matter.id)
    if old is None or old.number_code == matter.number_code:
        return _GOOD
    if any(item.number_code == old.number_code for key, item in before.items() if key != matter.id):
        return _GOOD
    remedy = f'keep code = "{old.number_code}"'
    return ("code",), f"applications and licences bear the code {old.number_code!r}", remedy


def _shared(matter: Matter, others: Collection[Matter]) -> list[tuple[Where, str, str]]:
    """What licences of one kind have in common, and no other kind has."""
    found: list[tuple[Where, str, str]] = []
    for other in others:
        ours, theirs = matter.licence, other.licence
        if ours.kind == theirs.kind:
            continue
        if ours.number == theirs.number != "serial" and matter.region == other.region:
            problem = f"{other.id} gives out the same numbers for licences of kind {theirs.kind!r}"
            found.append((("licence", "kind"), problem, f'use kind {theirs.kind!r}, or number = "serial"'))
        if ours.type_suffix == theirs.type_suffix:
            problem = f"type_suffix {ours.type_suffix!r} is that of kind {theirs.kind!r} of {other.id}"
            found.append((("licence", "type_suffix"), problem, "give each kind of licence a suffix of its own"))
    return found
