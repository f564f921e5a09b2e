"""The words of the pages: one catalogue a language, ``api/i18n/*.zh.toml`` and ``*.en.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from fastapi import Request

from api.kit.front.cookies import read_cookie
from docproc.canonical import JsonObject

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
COOKIE = "lang"
_FOLDER = Path(__file__).parent


def language_of(request: Request) -> Language:
    """What the visitor chose; Chinese unless another language was asked for."""
    return "en" if read_cookie(request, COOKIE) == "en" else "zh"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Every text of a language by its dotted key; ``base.zh.toml``'s ``[nav] verify`` is ``nav.verify``."""
    found: dict[str, str] = {}
    for path in sorted(_FOLDER.glob(f"*.{language}.toml")):
        _flatten(tomllib.loads(path.read_text(encoding="utf-8")), "", found)
    return found


def translate(language: Language, key: str, **values: object) -> str:
    """A text with its ``{names}`` filled in.

    Raises:
        KeyError: the catalogue has no such text; a test sees to it that none is missing.
    """
    text = catalogue(language)[key]
    return text.format(**values) if values else text


def _flatten(table: JsonObject, stem: str, found: dict[str, str]) -> None:
    for name, value in table.items():
        if isinstance(value, dict):
            _flatten(value, f"{stem}{name}.", found)
        else:
            found[stem + name] = value
