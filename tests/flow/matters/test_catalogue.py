"""Matters that an office puts in force: checked, confirmed by another person, from a day on, for every process."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest

from docproc.errors import AccessError, CatalogueError, ConflictError, InputError, LimitError
from docproc.flow.core import in_force
from docproc.flow.core.context import Context
from docproc.flow.matters import bundles, catalogue
from docproc.licence.page.layout import load_layout
from docproc.matter.load import COMMON_FILE, MATTERS_DIR, find_matter, put_in_force
from tests.flow.people import ADMIN, APPROVER, AUDITOR, CLERK, REVIEWER, caller

NAME = "sole_trader.toml"
OTHER = caller("admin-2", "admin")
NEW_FORM = 'valid_from = 2026-05-01\n\n[[form.page]]\nheading = ""'


@pytest.fixture(autouse=True)
def as_shipped() -> Iterator[None]:
    yield
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


def text(*changes: tuple[str, str]) -> bytes:
    found = (MATTERS_DIR / NAME).read_text("utf-8")
    for old, new in changes:
        assert old in found, old
        found = found.replace(old, new, 1)
    return found.encode()


SLOWER = text(("decide_working_days = 3", "decide_working_days = 2"))


def propose(ctx: Context, data: bytes, name: str = NAME, days: int = 0) -> str:
    day = ctx.today() + timedelta(days=days)
    return str(catalogue.propose(ctx, ADMIN, [(name, data)], day, "试点提速")["id"])


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def test_a_change_takes_effect_when_another_person_confirms_it(ctx: Context) -> None:
    change = propose(ctx, SLOWER)
    assert find_matter("sole_trader").clock.decide_working_days == 3
    with pytest.raises(AccessError):
        catalogue.confirm(ctx, ADMIN, change)
    for who in (REVIEWER, CLERK, AUDITOR):
        with pytest.raises(AccessError):
            catalogue.confirm(ctx, who, change)
    assert catalogue.confirm(ctx, APPROVER, change)["state"] == "confirmed"
    assert find_matter("sole_trader").clock.decide_working_days == 2
    with pytest.raises(ConflictError):
        catalogue.confirm(ctx, OTHER, change)


def test_what_was_refused_changes_nothing(ctx: Context) -> None:
    catalogue.confirm(ctx, OTHER, propose(ctx, SLOWER), refuse=True)
    assert find_matter("sole_trader").clock.decide_working_days == 3


def test_a_change_begins_on_its_day(ctx: Context) -> None:
    catalogue.confirm(ctx, OTHER, propose(ctx, SLOWER, days=10))
    assert find_matter("sole_trader").clock.decide_working_days == 3
    in_force.refresh(ctx.database, ctx.settings.data_dir, ctx.today() + timedelta(days=10), now=True)
    assert find_matter("sole_trader").clock.decide_working_days == 2


def test_a_process_without_the_database_goes_on_with_what_it_knows(ctx: Context) -> None:
    catalogue.confirm(ctx, OTHER, propose(ctx, SLOWER))
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())
    ctx.refresh()
    assert find_matter("sole_trader").clock.decide_working_days == 2, "as another process does"
    with ctx.database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE catalogue_changes RENAME TO gone")
    in_force.refresh(ctx.database, ctx.settings.data_dir, ctx.today(), now=True)
    assert find_matter("sole_trader").clock.decide_working_days == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "signed"', 'kind = "singed"', "singed"),
        ('layout = "sole_trader"', 'layout = "nowhere"', "nowhere"),
        ('seal = "market_regulation"', "", "seal"),
        ('id = "place_promise"', 'id = "promise_of_place"', "place_promise"),
        ('rows = [["operator"], ["place"],', 'rows = [["place"], ["operator"],', "another layout"),
        ('edition = "2026-05"\ntitle = "经营场所承诺书"', 'edition = "2027-01"\ntitle = "经营场所承诺书"', "2026-05"),
        ("decide_working_days = 3", "decide_working_days = ", "TOML"),
    ],
)
def test_a_broken_file_is_refused_with_the_line_that_is_wrong(ctx: Context, old: str, new: str, said: str) -> None:
    data = text((old, new))
    with pytest.raises(CatalogueError) as caught:
        propose(ctx, data)
    assert said in caught.value.problem and caught.value.file == NAME
    lines = data.decode().splitlines()
    if new and caught.value.line > 1:
        near = "\n".join(lines[max(0, caught.value.line - 14) : caught.value.line + 13])
        assert new.split("\n")[0] in near or said in near
    assert catalogue.list_changes(ctx, ADMIN) == []


def test_words_that_people_mostly_write_are_added_to_a_form_that_was_printed(ctx: Context) -> None:
    catalogue.confirm(ctx, OTHER, propose(ctx, text(('usual = [\n    "配偶",', 'usual = [\n    "配偶", "养子",'))))
    form = find_matter("sole_trader").find_form("application")
    columns = [column for field in form.field for column in field.columns]
    assert "养子" in next(column.usual for column in columns if column.name == "relation")


def test_a_new_edition_stands_beside_the_printed_one_and_is_shown_before_it_is_in_force(ctx: Context) -> None:
    whole = (MATTERS_DIR / NAME).read_text("utf-8")
    form = whole[whole.index('[[form]]\nmaterial = "place_promise"') : whole.index("[[rule]]")]
    newer = form.replace('"2026-05"', '"2027-01"').replace("valid_from = 2026-05-01", "valid_from = 2027-01-01")
    newer = newer.replace('[["operator"], ["place"],', '[["place"], ["operator"],')
    change = propose(ctx, whole.replace(form, form + newer).encode())
    assert catalogue.preview(ctx, APPROVER, change, "sole_trader", "place_promise", "2027-01").startswith(b"%PDF-")
    assert any("2027-01" in line for line in catalogue.change(ctx, APPROVER, change)["compared"][NAME])
    catalogue.confirm(ctx, APPROVER, change)
    assert {f.edition for f in find_matter("sole_trader").form if f.material == "place_promise"} == {
        "2026-05",
        "2027-01",
    }


def test_a_new_matter_comes_with_its_licence_layout_in_a_zip(ctx: Context) -> None:
    from docproc.licence.page.layout import FOLDER

    layout = (FOLDER / "sole_trader.toml").read_text("utf-8")
    matter = (
        text(
            ('id = "sole_trader"\ncode = "ST"', 'id = "stall"\ncode = "SA"'),
            ('name = "个体工商户设立登记"', 'name = "摊位登记（样例）"'),
        )
        .decode()
        .replace('layout = "sole_trader"', 'layout = "stall"')
    )
    common = (MATTERS_DIR / COMMON_FILE).read_text("utf-8")
    data = zipped(
        {"new/x.toml": matter, "new/layouts/stall.toml": layout, f"new/{COMMON_FILE}": common, "new/a.md": "x"}
    )
    change = propose(ctx, data, "new.zip")
    assert catalogue.list_changes(ctx, ADMIN)[0]["files"] == ["layouts/stall.toml", "stall.toml"]
    catalogue.confirm(ctx, OTHER, change)
    assert find_matter("stall").name == "摊位登记（样例）"
    assert load_layout("stall").kind == "stall"


def test_two_changes_of_one_file_do_not_undo_each_other(ctx: Context) -> None:
    first, second = propose(ctx, SLOWER), propose(ctx, text(("accept_days = 3", "accept_days = 2")))
    catalogue.confirm(ctx, OTHER, first)
    with pytest.raises(ConflictError):
        catalogue.confirm(ctx, OTHER, second)
    assert find_matter("sole_trader").clock.accept_days == 3


def test_the_file_in_force_is_given_out_to_be_changed(ctx: Context) -> None:
    catalogue.confirm(ctx, OTHER, propose(ctx, SLOWER))
    assert catalogue.source(ctx, APPROVER, NAME).encode() == SLOWER
    for name in ("../../etc/passwd", "nothing.toml", "layouts/sole_trader.toml"):
        with pytest.raises(InputError):
            catalogue.source(ctx, APPROVER, name)


def test_what_is_no_catalogue_is_refused() -> None:
    for sent in (
        [],
        [("a.zip", b"PK no zip")],
        [("a.toml", "id".encode("utf-16"))],
        [("a b.toml", b"x = 1")],
        [(COMMON_FILE, b"x = 1")],
        [("layouts/../x y.toml", b"x = 1")],
        [("a.toml", b'id = "a"'), ("b.toml", b'id = "a"')],
        [("a.zip", zipped({"a.txt": "x"}))],
    ):
        with pytest.raises(InputError):
            bundles.unpack(sent)
    with pytest.raises(LimitError):
        bundles.unpack([("bomb.zip", zipped({"a.toml": "#" * 50_000_000}))])
    with pytest.raises(LimitError):
        bundles.unpack([("many.zip", zipped({f"m{n}.toml": f'id = "m{n}"' for n in range(90)}))])


def test_a_reason_is_asked_for_and_all_of_it_is_in_the_audit_log(ctx: Context) -> None:
    with pytest.raises(InputError):
        catalogue.propose(ctx, ADMIN, [(NAME, SLOWER)], ctx.today(), "  ")
    with pytest.raises(ConflictError):
        propose(ctx, text())
    change = propose(ctx, SLOWER)
    catalogue.confirm(ctx, OTHER, change)
    from docproc.flow.audit.log import search_audit

    found = {line["action"]: line for line in search_audit(ctx, AUDITOR, text=change)}
    assert found["catalogue.proposed"]["actor"] == "admin-1" and found["catalogue.proposed"]["detail"]["reason"]
    assert found["catalogue.confirmed"]["actor"] == "admin-2"
