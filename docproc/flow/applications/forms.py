"""Forms to print, with what is known of the applicant already in them.

Only what says who and where goes in: names, codes and addresses. What the applicant has to choose or to declare stays
blank, for print cannot be taken back with a pen. Four ways lead to it, each to no more than its visitor may see:

* an enterprise that is signed in: its own licences in force;
* a licence's QR code: that licence;
* papers that were scanned before the form: what they say themselves, nothing of the register;
* follow code and number of an earlier application: what that form said, without what is sensitive.

A matter that nobody can apply for prints no form (:mod:`docproc.matter.opening`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from docproc.canonical import canonical_json
from docproc.check.certainty import SURE_WHEN_NEAR, is_sure
from docproc.check.licence_draft import holder_code
from docproc.domain import Field
from docproc.errors import InputError, NotFoundError
from docproc.fields import validate
from docproc.flow.applications.applications import visible
from docproc.flow.core import reads, views
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.form.fill import placements
from docproc.form.layout import FormLayout, layout_of
from docproc.licence.page.record import parse_licence_json
from docproc.matter.load import find_matter
from docproc.matter.model import FieldSpec, Form, Matter
from docproc.matter.opening import check_grants, check_opens
from docproc.matter.rule_kinds import Equal
from docproc.store.applications import pages
from docproc.store.licences import licences
from docproc.store.tables.licences import LicenceRow
from docproc.store.wallet import shares


def blank_form(ctx: Context, matter: str, material: str, edition: str | None = None, sheets: int = 1) -> bytes:
    """A form with a fresh serial in its QR code; the edition in force unless one is named.

    Args:
        ctx: the service.
        matter: the matter's id.
        material: the form's material.
        edition: its edition.
        sheets: sheets of each page with a table, for more rows than one has; so in all functions here.

    Raises:
        NotFoundError: no such matter, form or edition.
        InputError: too many sheets, or of a form without a table.
    """
    return _print(ctx, matter, material, edition, {}, sheets)


def form_by_licence(ctx: Context, matter: str, material: str, code: str, sheets: int = 1) -> bytes:
    """The form in force with what a licence says, for whoever holds the licence's QR code or its address.

    Raises:
        NotFoundError: no such matter or form, or no licence in force has this code.
    """
    word = code.strip().rstrip("/").rpartition("/")[2]
    with ctx.database.read() as session:
        row = licences.find_by_code(session, word)
        reads.note(None, "form", row.number, by="code", purpose="public")
        facts = _facts(ctx, [row])
    if not facts:
        raise NotFoundError(f"licence {row.number} is not in force", message_zh="这份证照不在有效状态，请打印空白表格")
    return _print(ctx, matter, material, None, facts, sheets)


def form_of_holder(ctx: Context, caller: Caller, matter: str, material: str, sheets: int = 1) -> bytes:
    """The form in force with what the register knows of the enterprise that is signed in.

    Raises:
        NotFoundError: no such matter or form.
    """
    caller.require("wallet")
    reads.note(caller, "form", caller.org)
    with ctx.database.read() as session:
        facts = {"uscc": caller.org} | _facts(ctx, shares.licences_of_holder(session, caller.org))
    return _print(ctx, matter, material, None, facts, sheets)


@dataclass(frozen=True, slots=True)
class Known:
    """A value that goes into a form, and where it was read."""

    field: str
    label: str
    value: str
    page_id: str
    index: int
    box: tuple[float, float, float, float] | None


def known_of_papers(ctx: Context, caller: Caller, number: str, material: str) -> list[Known]:
    """What the papers of an application say for one of its forms: values that the matter's rules compare with the form.

    Only what was read for certain and passes its check (check digit, calendar); the applicant looks at it before it is
    printed. Nothing of the register is asked, for a card may be in another's hand.
    """
    return _known(ctx, caller, number, material)[2]


def _known(ctx: Context, caller: Caller, number: str, material: str) -> tuple[Matter, Form, list[Known]]:
    with ctx.database.read() as session:
        row = visible(session, caller, number, "view")
        reads.note(caller, "form", number)
        matter = find_matter(row.matter)
        found = [(page, reading) for page, reading in pages.readings_of(session, number)]
    form = matter.find_form(material, None, ctx.today())
    known: dict[str, Known] = {}
    for rule in matter.rule:
        if not isinstance(rule, Equal) or not rule.left.startswith(f"{material}."):
            continue
        field = next((item for item in form.field if item.name == rule.left.partition(".")[2]), None)
        paper, _, name = rule.right.partition(".")
        if field is None or field.name in known or field.field_type.prefill == "never":
            continue
        for page, reading in found:
            item = reading.fields.get(name) if reading.material == paper and reading.quality.verdict == "good" else None
            if item is None or not _is_certain(item, field.type, ctx.today()):
                continue
            label = field.label.replace("\n", "")
            known[field.name] = Known(field.name, label, item.value or "", page.id, reading.index, item.box)
            break
    return matter, form, list(known.values())


def form_of_papers(ctx: Context, caller: Caller, number: str, material: str, sheets: int = 1) -> bytes:
    """The form in force with what the application's other papers say; see :func:`known_of_papers`.

    Raises:
        NotFoundError: no such application for this caller, or no such form.
    """
    caller.require("create")
    matter, form, known = _known(ctx, caller, number, material)
    check_grants(matter, ctx.today())
    layout = layout_of(matter, form)
    values = {item.field: item.value for item in known if _fits(layout, item.field, item.value)}
    return _drawn(matter, form, layout, values, sheets)


def form_by_follow(
    ctx: Context, caller: Caller, matter: str, material: str, code: str, number: str, sheets: int = 1
) -> bytes:
    """The form in force with what an earlier form of the applicant said, for whoever holds its receipt.

    Follow code and number stand on one slip that may be lost, so nothing sensitive comes out, and only at the office
    that has the application.

    Raises:
        NotFoundError: code and number do not belong together, or the application is another office's.
    """
    caller.require("create")
    word = code.strip().rstrip("/").rpartition("/")[2]
    with ctx.database.read() as session:
        row = shares.followed(session, word)
        if row.number != number.strip().upper() or row.org != caller.org:
            raise NotFoundError("code and number do not match", message_zh="没有查到这个办件，请核对查询码")
        reads.note(caller, "form", row.number)
        before = find_matter(row.matter)
        readings = [reading for _, reading in pages.readings_of(session, row.number)]
    said: dict[str, str] = {}
    for reading in readings:
        if reading.material is None or before.find_material(reading.material).kind != "form":
            continue
        for spec in before.fields_of(reading.material, reading.edition):
            item = reading.fields.get(spec.name)
            if not _is_open(spec) or item is None:
                continue
            if _is_certain(item, spec.type, ctx.today()):
                said.setdefault(spec.name, item.value or "")
    spec_now = find_matter(matter)
    check_opens(spec_now, ctx.today(), caller.org)
    form = spec_now.find_form(material, None, ctx.today())
    layout = layout_of(spec_now, form)
    open_fields = [f.name for f in form.field if _is_open(f) and f.name in said]
    values = {name: said[name] for name in open_fields if _fits(layout, name, said[name])}
    return _drawn(spec_now, form, layout, values, sheets)


def _is_open(spec: FieldSpec) -> bool:
    """Whether a field says who or where, and nothing that is kept apart."""
    return not spec.is_sensitive and spec.field_type.prefill == "always"


def _is_certain(item: Field, kind: str, today: date) -> bool:
    return bool(item.value) and is_sure(item, least=SURE_WHEN_NEAR) and validate(kind, item.value or "", today=today).ok


def _facts(ctx: Context, rows: Iterable[LicenceRow]) -> dict[str, str]:
    """What licences in force say, by the names of licence fields; of several the first, which is the newest, counts."""
    facts: dict[str, str] = {}
    for row in rows:
        if row.sha256 is None or views.licence_status(row, ctx.today()) != "valid":
            continue
        licence = parse_licence_json(canonical_json(row.body))
        said = {name: value for name, _, value in licence.fields} | {"holder": licence.holder}
        code = holder_code(licence)
        facts = {**said, **({"uscc": code} if code else {}), **facts}
    return facts


def _print(
    ctx: Context, matter: str, material: str, edition: str | None, facts: Mapping[str, str], sheets: int
) -> bytes:
    spec = find_matter(matter)
    check_opens(spec, ctx.today())
    form = spec.find_form(material, edition, None if edition else ctx.today())
    layout = layout_of(spec, form)
    return _drawn(spec, form, layout, _values(spec, form, layout, facts), sheets)


def _values(matter: Matter, form: Form, layout: FormLayout, facts: Mapping[str, str]) -> dict[str, str]:
    """Facts by the form's fields: the matter's licence names the field that each of its own lines comes from."""
    known = {
        reference.partition(".")[2]: facts[name] for name, _, reference in matter.licence.fields if facts.get(name)
    }
    values: dict[str, str] = {}
    for field in form.field:
        value = known.get(field.name) or (facts.get("uscc") if field.name == "uscc" else None)
        if value and field.field_type.prefill == "always" and _fits(layout, field.name, value):
            values[field.name] = value
    return values


def _fits(layout: FormLayout, name: str, value: str) -> bool:
    try:
        placements(layout, {name: value})
    except InputError:
        return False
    return True


def _drawn(matter: Matter, form: Form, layout: FormLayout, values: dict[str, str] | None, sheets: int) -> bytes:
    """Print a form under a serial of its own; what draws is loaded here, for most processes never draw one."""
    from docproc.form.draw import draw_form, new_form_id

    return draw_form(matter, form, layout, new_form_id(), values, sheets=sheets)
