"""Classify a free page: the material of the matter and its page, by key words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from docproc.matter.model import Form, Material, Matter

BEST = 2.0
"""Weight of a page's first key word, its title; the others have weight 1."""
ENOUGH = 2.0
"""Minimum score."""
ENOUGH_DECLARED = 1.0
"""Minimum score of a declared material, to read it as that."""
AHEAD = 1.0
"""Minimum lead over the second-best page."""
FORM_SHARE = 0.6
"""Minimum share of a form page's labels found."""
FUZZY_FROM = 4
"""Minimum length of a word that matches with one wrong character."""
_EDITION = re.compile(r"(\d{4}-\d{2})版")


@dataclass(frozen=True, slots=True)
class PageKind:
    """Class of a page."""

    material: str
    page: int
    """1-based page of the material."""
    edition: str | None = None
    """Edition printed on a form."""
    claimed: bool = False
    """Its material was declared, and the text alone does not bear that out."""


def classify(
    texts: Iterable[str], matter: Matter, material: str | None = None, page: int | None = None
) -> PageKind | None:
    """Classify a page by its text.

    Args:
        texts: lines of the page.
        matter: the matter whose materials are the classes.
        material: id of the declared material; then only its page is determined.
        page: the declared page of that material.

    Returns:
        The class, or ``None`` when no material fits or none is clearly the best.
    """
    text = _plain("".join(texts))
    if material is None:
        return _clear(_ranked(text, matter), ENOUGH)
    named = [item for item in _ranked(text, matter, material) if page in (None, item[1].page)]
    kind = _clear(named, ENOUGH_DECLARED)
    return kind if kind is None or _is_borne_out(text, matter, kind) else replace(kind, claimed=True)


def _ranked(text: str, matter: Matter, material: str | None = None) -> list[tuple[float, PageKind]]:
    """Pages of the matter's materials, or of one that was declared, with their scores, best first."""
    scores = [
        (_score(text, words, item, named=material is not None), PageKind(item.id, page))
        for item in matter.material
        if item.kind == "free" and material in (None, item.id)
        for page, words in enumerate(item.words, 1)
    ]
    scores += [(score, kind) for score, kind in _forms(text, matter) if material in (None, kind.material)]
    return sorted(scores, key=lambda pair: -pair[0])


def _clear(ranked: Sequence[tuple[float, PageKind]], least: float) -> PageKind | None:
    if not ranked or ranked[0][0] < least:
        return None
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < AHEAD and ranked[1][1] != ranked[0][1]:
        return None
    return ranked[0][1]


def _is_borne_out(text: str, matter: Matter, kind: PageKind) -> bool:
    """Whether a declared page is recognised as what it was declared, be it that another page fits as well."""
    ranked = _ranked(text, matter)
    own = max((score for score, other in ranked if other == kind), default=0.0)
    best = max((score for score, other in ranked if other != kind), default=0.0)
    return own >= ENOUGH and best - own < AHEAD


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _score(text: str, words: Sequence[str], item: Material, named: bool) -> float:
    if not named and any(contains_word(text, word) for word in item.not_words):
        return 0.0
    return sum((BEST if place == 0 else 1.0) for place, word in enumerate(words) if contains_word(text, word))


def contains_word(text: str, word: str) -> bool:
    """Whether a word occurs in a text without spaces; a long word may have one wrong character."""
    word = _plain(word)
    if word in text:
        return True
    if len(word) < FUZZY_FROM:
        return False
    size = len(word)
    windows = (text[i : i + size] for i in range(len(text) - size + 1))
    return any(sum(a != b for a, b in zip(window, word, strict=True)) <= 1 for window in windows)


def _forms(text: str, matter: Matter) -> Iterable[tuple[float, PageKind]]:
    """Forms of ours whose marks are lost, and forms of other editions."""
    printed = _EDITION.search(text)
    seen: set[tuple[str, int]] = set()
    for form in sorted(matter.form, key=lambda f: f.valid_from, reverse=True):
        if not contains_word(text, form.title):
            continue
        for page in range(1, len(form.page) + 1):
            share = _labels_found(text, form, page)
            if share >= FORM_SHARE and (form.material, page) not in seen:
                seen.add((form.material, page))
                yield 3.0 + 4.0 * share, PageKind(form.material, page, printed[1] if printed else None)


def _labels_found(text: str, form: Form, page: int) -> float:
    names = [name for row in form.page[page - 1].rows for name in row]
    labels = [spec.label.replace("\n", "") for spec in form.field if spec.name in names]
    labels += [column.label for spec in form.field if spec.name in names for column in spec.columns]
    return sum(contains_word(text, label) for label in labels) / len(labels)
