"""Forms to print, with what the register knows of the applicant already in them.

Only what says who and where goes in: names, codes and addresses of licences that are in force. What the applicant
has to choose or to declare stays blank, for print cannot be taken back with a pen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from docproc.draft import holder_code
from docproc.errors import InputError, NotFoundError
from docproc.flow import views
from docproc.flow.access import Caller
from docproc.flow.context import Context
from docproc.flow.versions import canonical
from docproc.form.draw import draw, new_form_id
from docproc.form.fill import placements
from docproc.form.layout import Layout, layout_of
from docproc.licence.record import parse_licence_json
from docproc.matter import FieldType, Form, Matter, find_matter
from docproc.store import licences, sharing
from docproc.store.tables import LicenceRow

KNOWN_TYPES: frozenset[FieldType] = frozenset({"cn_name", "person_name", "uscc", "address"})
"""Types of fields that say who and where."""


def blank_form(ctx: Context, matter: str, material: str, edition: str | None = None) -> bytes:
    """A form with a fresh serial in its QR code; the edition in force unless one is named.

    Raises:
        NotFoundError: no such matter, form or edition.
    """
    return _print(ctx, matter, material, edition, {})


def form_by_licence(ctx: Context, matter: str, material: str, code: str) -> bytes:
    """The form in force with what a licence says, for whoever holds the licence's QR code or its address.

    Raises:
        NotFoundError: no such matter or form, or no licence in force has this code.
    """
    word = code.strip().rstrip("/").rpartition("/")[2]
    with ctx.database.read() as session:
        row = licences.find_by_code(session, word)
        facts = _facts(ctx, [row])
    if not facts:
        raise NotFoundError(f"licence {row.number} is not in force", message_zh="这份证照不在有效状态，请打印空白表格")
    return _print(ctx, matter, material, None, facts)


def form_of_holder(ctx: Context, caller: Caller, matter: str, material: str) -> bytes:
    """The form in force with what the register knows of the enterprise that is signed in.

    Raises:
        NotFoundError: no such matter or form.
    """
    caller.require("wallet")
    with ctx.database.read() as session:
        facts = {"uscc": caller.org} | _facts(ctx, sharing.licences_of_holder(session, caller.org))
    return _print(ctx, matter, material, None, facts)


def _facts(ctx: Context, rows: Iterable[LicenceRow]) -> dict[str, str]:
    """What licences in force say, by the names of licence fields; of several the first, which is the newest, counts."""
    facts: dict[str, str] = {}
    for row in rows:
        if row.sha256 is None or views.licence_status(row, ctx.today()) != "valid":
            continue
        licence = parse_licence_json(canonical(row.body))
        said = {name: value for name, _, value in licence.fields} | {"holder": licence.holder}
        code = holder_code(licence)
        facts = {**said, **({"uscc": code} if code else {}), **facts}
    return facts


def _print(ctx: Context, matter: str, material: str, edition: str | None, facts: Mapping[str, str]) -> bytes:
    spec = find_matter(matter)
    form = spec.find_form(material, edition, None if edition else ctx.today())
    layout = layout_of(spec, form)
    return draw(spec, form, layout, new_form_id(), _values(spec, form, layout, facts))


def _values(matter: Matter, form: Form, layout: Layout, facts: Mapping[str, str]) -> dict[str, str]:
    """Facts by the form's fields: the matter's licence names the field that each of its own lines comes from."""
    known = {
        reference.partition(".")[2]: facts[name] for name, _, reference in matter.licence.fields if facts.get(name)
    }
    values: dict[str, str] = {}
    for field in form.field:
        value = known.get(field.name) or (facts.get("uscc") if field.name == "uscc" else None)
        if value and field.type in KNOWN_TYPES and _fits(layout, field.name, value):
            values[field.name] = value
    return values


def _fits(layout: Layout, name: str, value: str) -> bool:
    try:
        placements(layout, {name: value})
    except InputError:
        return False
    return True
