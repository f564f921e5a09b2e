"""The pages' words: both languages have all of them."""

from __future__ import annotations

import re
import string
from pathlib import Path

from api.kit.i18n.words import catalogue
from docproc.flow.core.views import LICENCE_ZH
from docproc.lifecycle import STATUS_ZH

TEMPLATES = Path(__file__).parents[3] / "api" / "templates"
ASKED = re.compile(r"""\bt\(\s*["']([a-z_]+\.[A-Za-z0-9_.-]+)["']\s*[,)]""")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    chinese, english = catalogue("zh"), catalogue("en")
    assert set(chinese) == set(english)
    assert {k for k in chinese if fields(chinese[k]) != fields(english[k])} == set()
    assert all(text.strip() for text in (*chinese.values(), *english.values()))


def test_every_text_that_a_template_asks_for_is_there() -> None:
    asked = {
        (path.name, key)
        for path in TEMPLATES.rglob("*.html")
        for key in ASKED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(asked) > 100
    assert {item for item in asked if item[1] not in catalogue("zh")} == set()


def test_a_state_has_the_same_name_on_pages_and_for_programs() -> None:
    words = catalogue("zh")
    assert {status: words[f"status.{status}"] for status in STATUS_ZH} == STATUS_ZH
    assert {status: words[f"standing.{status}"] for status in LICENCE_ZH} == LICENCE_ZH


def test_english_texts_are_not_left_in_chinese() -> None:
    assert {k for k, text in catalogue("en").items() if re.search(r"[\u4e00-\u9fff]", text)} == set()
