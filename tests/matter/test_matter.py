from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from docproc.errors import CatalogueError, NotFoundError
from docproc.form.layout import layout_of
from docproc.matter.load import COMMON_FILE, MATTERS_DIR, find_matter, load_catalogue, load_matter
from docproc.matter.rule_kinds import Common


@pytest.fixture
def matter_file(tmp_path: Path) -> Path:
    for name in (COMMON_FILE, "food_licence.toml"):
        shutil.copy(MATTERS_DIR / name, tmp_path / name)
    return tmp_path / "food_licence.toml"


def edit(path: Path, old: str, new: str) -> int:
    """Replace the first occurrence and return its line."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_both_matters_are_complete_and_every_rule_with_a_basis_names_a_law() -> None:
    catalogue = load_catalogue()
    assert set(catalogue) == {"food_licence", "sole_trader", "social_insurance"}
    for matter in catalogue.values():
        for rule in matter.rule:
            if rule.severity in ("block", "fix") and not (isinstance(rule, Common) and rule.kind == "quality"):
                assert "《" in matter.basis_text(rule.basis), rule.id
        for need in {"G-00", "G-01", "G-02", "G-06", "G-07", "G-08", "G-09", "G-10", "G-11"}:
            assert any(rule.id == need for rule in matter.rule)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('type = "uscc"', 'type = "usccc"', "type"),
        ('kind = "not_only"', 'kind = "not_onli"', "not_onli"),
        ('left = "application.uscc"', 'left = "application.ussc"', "application.ussc"),
        ("at_most = 1", "at_mast = 1", "at_mast"),
        ('["name"],\n', '["name"],\n  ["nobody"],\n', "nobody"),
        ('holder = "application.name"', "", "holder"),
        ('"int", width = 1.0', '"int", width = 1.0, usual = ["一台"]', "only text has usual words"),
        ('usual = [\n    "冰箱"', 'usual = [\n    "冰 箱"', "no marks or blanks"),
        ('"food_business"\nlayout', '"food_business"\nlayout = "x"\nlayout', "TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_a_remedy(matter_file: Path, old: str, new: str, problem: str) -> None:
    line = edit(matter_file, old, new)
    with pytest.raises(CatalogueError) as caught:
        load_matter(matter_file)
    error = caught.value
    assert problem in error.problem
    assert error.remedy
    assert error.file == "food_licence.toml"
    assert abs(error.line - line) <= 12, f"line {error.line}, the mistake is at {line}"


@pytest.mark.parametrize(
    ("field", "problem"),
    [('name = "sign"', "drawn by hand"), ('name = "cid"', "no statement of the applicant")],
)
def test_officials_may_change_statements_of_the_applicant_alone(matter_file: Path, field: str, problem: str) -> None:
    line = edit(matter_file, field, f"{field}\nmendable = true")
    with pytest.raises(CatalogueError, match=problem) as caught:
        load_matter(matter_file)
    assert abs(caught.value.line - line) <= 1


def test_a_field_without_a_place_is_pointed_at(matter_file: Path) -> None:
    edit(matter_file, 'rows = [["staff"], ["equipment"], ["vending"]]', 'rows = [["staff"], ["equipment"]]')
    with pytest.raises(CatalogueError, match="'vending' stands in 0 rows") as caught:
        load_matter(matter_file)
    lines = matter_file.read_text(encoding="utf-8").splitlines()
    assert 'name = "vending"' in lines[caught.value.line - 1 : caught.value.line + 1]


def test_a_rule_id_twice_is_refused(matter_file: Path) -> None:
    edit(matter_file, 'id = "FO-03"', 'id = "FO-01"')
    with pytest.raises(CatalogueError, match="twice"):
        load_matter(matter_file)


def test_a_form_that_does_not_fit_its_page_is_refused(matter_file: Path) -> None:
    edit(matter_file, "lines = 11", "lines = 30")
    matter = load_matter(matter_file)
    with pytest.raises(NotFoundError, match="too long"):
        layout_of(matter, matter.find_form("layout"))


def test_the_edition_in_force_on_the_day_is_chosen(matter_file: Path) -> None:
    text = matter_file.read_text(encoding="utf-8")
    form = text[
        text.index('[[form]]\nmaterial = "rules_list"') : text.index("# ----", text.index('material = "rules_list"'))
    ]
    newer = form.replace('"2023-12"', '"2026-10"').replace("2023-12-01", "2026-10-01")
    older = form.replace("valid_from = 2023-12-01", "valid_from = 2023-12-01\nvalid_to = 2026-09-30")
    matter_file.write_text(text.replace(form, older + newer), encoding="utf-8")
    matter = load_matter(matter_file)
    assert matter.find_form("rules_list", on=date(2026, 9, 30)).edition == "2023-12"
    assert matter.find_form("rules_list", on=date(2026, 10, 1)).edition == "2026-10"
    with pytest.raises(NotFoundError):
        matter.find_form("rules_list", on=date(2020, 1, 1))


def test_an_unknown_matter_is_answered_with_those_that_exist() -> None:
    with pytest.raises(NotFoundError, match="food_licence, social_insurance, sole_trader"):
        find_matter("fishing")


def test_no_message_leaves_a_word_unfilled() -> None:
    words = {"seal", "name", "label", "count", "fields", "problem", "row", "from", "to", "authority", "serial"}
    for matter in load_catalogue().values():
        for rule in matter.rule:
            assert set(re.findall(r"{(\w+)}", rule.message)) <= words, rule.id
