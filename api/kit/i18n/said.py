"""What the service says in Chinese, shown in English on pages that were switched to it.

Findings, errors and notes are made, kept, sealed and sent in Chinese. A page in English looks the sentence up by the
template that it was made from: those of rules stand in the matter files (``message_en``), all others in
``api/i18n/said.toml``. What has no English is shown as it is and marked as Chinese.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from api.kit.i18n.words import Language
from docproc.check.rules import DOUBT
from docproc.matter.load import load_catalogue
from docproc.matter.model import Matter

FILE = Path(__file__).with_name("said.toml")
DOUBT_EN = " (not read for certain; please check)"
_PLACE = re.compile(r"\{(\w*)\}")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_QUOTED = re.compile(r"(“[^”]*[\u3400-\u9fff][^”]*”|[\u3400-\u9fff]+)")


def say(language: Language, text: str | None) -> str | Markup:
    """A sentence of the service in the language of the page."""
    if not text or language == "zh":
        return text or ""
    return _english(text) or _as_it_is(text)


def _english(text: str) -> Markup | None:
    doubted = text.endswith(DOUBT)
    plain = text.removesuffix(DOUBT)
    for exact, templates in (_of_rules(load_catalogue()), _said()):
        found = exact.get(plain) or exact.get(plain.removesuffix("。"))
        if found is not None:
            return _marked(found) + (DOUBT_EN if doubted else "")
        for shape, english in templates:
            match = shape.fullmatch(plain)
            if match is not None:
                return _filled(english, match.groupdict()) + (DOUBT_EN if doubted else "")
    return None


def _filled(english: str, values: Mapping[str, str]) -> Markup:
    parts = _PLACE.split(english)  # text, name, text, name, text
    done = [_marked(part) if place % 2 == 0 else say("en", values[part]) for place, part in enumerate(parts)]
    return Markup("").join(done)


def _as_it_is(text: str) -> Markup:
    return Markup('<span lang="zh-CN">{}</span>').format(text) if _CHINESE.search(text) else escape(text)


def _marked(text: str) -> Markup:
    """English with the Chinese words in it, those to be looked for on paper, marked as such."""
    return Markup("").join(_as_it_is(part) for part in _QUOTED.split(text) if part)


Known = tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]
_last: tuple[dict[str, Matter], Known] | None = None


@cache
def _said() -> Known:
    return _known(tomllib.loads(FILE.read_text(encoding="utf-8")))


def _of_rules(matters: dict[str, Matter]) -> Known:
    """Of the catalogue in force, which is one object until another one is."""
    global _last
    if _last is None or _last[0] is not matters:
        rules = (rule for matter in matters.values() for rule in matter.rule)
        _last = (matters, _known({rule.message: rule.message_en for rule in rules if rule.message_en}))
    return _last[1]


def _known(texts: Mapping[str, str]) -> Known:
    """Sentences that are always the same, and shapes of those that are not, the longest first."""
    exact = {text: english for text, english in texts.items() if not _PLACE.search(text)}
    shapes = []
    for text in sorted((text for text in texts if text not in exact), key=len, reverse=True):
        parts = _PLACE.split(text)
        if any(parts[::2]):  # a rule that only passes on what another part said has no shape of its own
            shape = "".join(re.escape(p) if place % 2 == 0 else f"(?P<{p}>.+?)" for place, p in enumerate(parts))
            shapes.append((re.compile(shape, re.DOTALL), texts[text]))
    return exact, shapes
