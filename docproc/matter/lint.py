"""Checks of one matter file that reach across its parts: every name must lead somewhere.

What can be seen from one part alone is checked by the part itself as it is parsed (:mod:`docproc.matter.model`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from docproc.errors import CatalogueError
from docproc.matter.model import LicenceSpec, Matter
from docproc.matter.rule_kinds import Target
from docproc.matter.toml_lines import line_of

Fail = Callable[[tuple[str | int, ...], str, str], NoReturn]
"""Raises the error of a place in the file, with the problem and the remedy."""


def lint_matter(matter: Matter, path: Path) -> None:
    """Check a matter that was parsed from the file.

    Raises:
        CatalogueError: with file, line, problem and remedy.
    """
    text = path.read_text(encoding="utf-8")

    def fail(where: tuple[str | int, ...], problem: str, remedy: str) -> NoReturn:
        raise CatalogueError(path.name, line_of(text, where), problem, remedy)

    if matter.id != path.stem:
        fail(("id",), f"id {matter.id!r} differs from the file's name", f"call the file {matter.id}.toml")
    if not matter.basis:
        fail((), "no legal basis", "add [[basis]]: without one a matter cannot be opened")
    if matter.common_basis:
        fail(("common_basis",), "the laws that all matters share ship with the software", "name the law in [[basis]]")
    _lint_delegation(matter, fail)
    _lint_forms(matter, fail)
    _lint_materials(matter, fail)
    _lint_form_material(matter, fail)
    _lint_departments(matter, fail)
    _lint_mendable(matter, fail)
    known = _references(matter)
    _lint_rules(matter, known, fail)
    _lint_seals(matter.licence, fail)
    for _, _, reference in matter.licence.fields:
        if reference not in known and not reference.startswith("="):
            fail(("licence", "fields"), f"licence names unknown field {reference!r}", "use material.field")


def _lint_delegation(matter: Matter, fail: Fail) -> None:
    if (matter.status == "delegated") != (matter.delegated is not None):
        remedy = 'write status = "delegated" and [delegated] with authority and basis, or neither'
        fail(("status",), "status and [delegated] contradict each other", remedy)
    if matter.delegated is not None:
        _lint_basis(matter, matter.delegated.basis, ("delegated", "basis"), fail)


def _lint_basis(matter: Matter, ids: str, where: tuple[str | int, ...], fail: Fail) -> None:
    bases = {item.id for item in matter.basis}
    for key in ids.split():
        if key.partition("#")[0] not in bases:
            fail(where, f"unknown basis {key!r}", "add [[basis]] for it")


def _references(matter: Matter) -> set[str]:
    """Everything that a rule may refer to."""
    found = {"today", "edition.valid_from"}
    for item in matter.material:
        specs = [s for f in matter.form if f.material == item.id for s in f.field] or list(item.field)
        for spec in specs:
            found.add(f"{item.id}.{spec.name}")
            found.update(f"{item.id}.{spec.name}.{c.name}" for c in spec.columns)
    return found


def _lint_rules(matter: Matter, known: set[str], fail: Fail) -> None:
    materials = sorted(item.id for item in matter.material)
    ids = [rule.id for rule in matter.rule]
    for index, rule in enumerate(matter.rule):
        for key, reference in rule.targets(Target.FIELD):
            if reference not in known:
                fail(("rule", index, key), f"rule {rule.id} names unknown field {reference!r}", "use material.field")
        for key, name in rule.targets(Target.MATERIAL):
            if name not in materials:
                fail(("rule", index, key), f"unknown material {name!r}", f"use one of {', '.join(materials)}")
        if ids.count(rule.id) > 1:
            fail(("rule", index, "id"), f"rule id {rule.id!r} occurs twice", "give each rule its own id")


def _lint_seals(spec: LicenceSpec, fail: Fail) -> None:
    names = [spec.seal, *(item.seal for item in spec.co_seals)]
    codes = [item.authority_code for item in spec.co_seals]
    for found in (names, codes):
        twice = next((item for item in found if found.count(item) > 1), None)
        if twice is not None:
            fail(("licence", "co_seals"), f"{twice!r} seals twice", "name each seal and each authority once")


def _lint_forms(matter: Matter, fail: Fail) -> None:
    materials = {item.id for item in matter.material}
    for index, form in enumerate(matter.form):
        if form.material not in materials:
            fail(("form", index, "material"), f"unknown material {form.material!r}", "add [[material]] for it")
        names = [f.name for f in form.field]
        placed = [name for page in form.page for row in page.rows for name in row]
        for name in placed:
            if name not in names:
                fail(("form", index, "page"), f"row names unknown field {name!r}", "add [[form.field]] for it")
        for place, name in enumerate(names):
            if placed.count(name) != 1:
                fail(
                    ("form", index, "field", place, "name"),
                    f"field {name!r} stands in {placed.count(name)} rows",
                    "put each field into exactly one row of one page",
                )


def _lint_materials(matter: Matter, fail: Fail) -> None:
    for index, item in enumerate(matter.material):
        if item.kind == "form" and not any(f.material == item.id for f in matter.form):
            fail(("material", index), f"material {item.id!r} is a form without an edition", "add [[form]]")
        if item.kind == "free" and len(item.words) != item.sides:
            fail(("material", index), f"{item.id!r}: one list of words a side is needed", "correct words or sides")


def _lint_mendable(matter: Matter, fail: Fail) -> None:
    """An official may change statements of the applicant alone, never a signature or what others issued."""
    for index, item in enumerate(matter.material):
        for place, spec in enumerate(item.field):
            if spec.mendable:
                where = ("material", index, "field", place, "mendable")
                fail(where, f"{spec.name!r} is no statement of the applicant", "remove mendable: only forms have it")
    for index, form in enumerate(matter.form):
        for place, spec in enumerate(form.field):
            if spec.mendable and spec.field_type.is_presence:
                where = ("form", index, "field", place, "mendable")
                fail(where, f"{spec.name!r} is drawn by hand", "remove mendable: nobody signs for the applicant")


def _lint_form_material(matter: Matter, fail: Fail) -> None:
    found = matter.form_materials
    if len(found) == 1:
        return
    if not any(item.kind == "form" for item in matter.material):
        fail((), "no application form", 'add a [[material]] with kind = "form" and its [[form]]')
    problem = f"{' and '.join(map(repr, found)) or 'none of the forms'} may be the application form"
    remedy = "let holder and holder_or refer to fields of one form: of several forms, that is the application form"
    fail(("licence", "holder"), problem, remedy)


def _lint_departments(matter: Matter, fail: Fail) -> None:
    materials = sorted(item.id for item in matter.material)
    orgs = [item.org for item in matter.department]
    if len(orgs) == 1:
        fail(("department", 0), "one department alone is no joint approval", "name the others or remove [[department]]")
    for index, item in enumerate(matter.department):
        if orgs.count(item.org) > 1:
            fail(("department", index, "org"), f"department {item.org!r} occurs twice", "give each its own org")
        if (index == 0) != (not item.materials):
            problem, remedy = "the first department leads and sees all", "name materials for every one but the first"
            fail(("department", index, "materials"), problem, remedy)
        for name in item.materials:
            if name not in materials:
                known = f"use some of {', '.join(materials)}"
                fail(("department", index, "materials"), f"unknown material {name!r}", known)
        _lint_basis(matter, item.basis, ("department", index, "basis"), fail)
