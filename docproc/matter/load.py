"""Parse matter files, and keep the catalogue that this process works by."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from docproc.errors import CatalogueError, NotFoundError
from docproc.matter.base import Data
from docproc.matter.lint import lint_matter
from docproc.matter.model import Basis, Matter
from docproc.matter.rule_kinds import Rule
from docproc.matter.toml_lines import line_of
from docproc.matter.toml_text import parse_toml

MATTERS_DIR = Path(__file__).parents[1] / "matters"
COMMON_FILE = "_common.toml"

File = TypeVar("File", bound=Data)


class _CommonRules(Data):
    basis: tuple[Basis, ...]
    rule: tuple[Rule, ...]


def _parse(path: Path, model: type[File]) -> File:
    text = path.read_text(encoding="utf-8")
    data = parse_toml(path.name, text)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(p for p in first["loc"] if p not in ("function-after",))
        name = ".".join(str(p) for p in where)
        raise CatalogueError(path.name, line_of(text, where), f"{name}: {first['msg']}", _remedy(first)) from None


def _remedy(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "remove this key or correct its spelling"
    if kind == "missing":
        return f"add the key {error['loc'][-1]!r}"
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = error.get("ctx", {})
        return f"use one of {allowed.get('expected') or allowed.get('expected_tags')}"
    return "correct the value"


def load_matter(path: Path) -> Matter:
    """Load and lint one matter file together with the common rules beside it.

    Raises:
        CatalogueError: with file, line, problem and remedy.
    """
    matter = _parse(path, Matter)
    common_path = path.with_name(COMMON_FILE)
    if not common_path.is_file():
        common_path = MATTERS_DIR / COMMON_FILE
    common = _parse(common_path, _CommonRules)
    lint_matter(matter, path)
    return matter.model_copy(update={"rule": common.rule + matter.rule, "common_basis": common.basis})


@cache
def _load(folder: Path) -> dict[str, Matter]:
    paths = sorted(p for p in folder.glob("*.toml") if not p.name.startswith("_"))
    return {matter.id: matter for matter in map(load_matter, paths)}


_in_force = MATTERS_DIR


def folder_in_force() -> Path:
    """The folder whose matters this process uses: the shipped one, or the one that the office put in its place."""
    return _in_force


def put_in_force(folder: Path) -> None:
    """Use the matters of another folder from now on; they are loaded first, and nothing changes if a file is wrong.

    Raises:
        CatalogueError: a file is wrong.
    """
    global _in_force
    _load(folder)
    _in_force = folder


def digest_of(key: str) -> str:
    """SHA-256 of the file in force of a matter, with the common rules that go with it.

    Raises:
        NotFoundError: no such matter.
    """
    find_matter(key)
    return _digest(_in_force, key)


@cache
def _digest(folder: Path, key: str) -> str:
    common = folder / COMMON_FILE
    texts = (folder / f"{key}.toml", common if common.is_file() else MATTERS_DIR / COMMON_FILE)
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in texts)).hexdigest()


def load_catalogue(folder: Path | None = None) -> dict[str, Matter]:
    """All matters by id, of the folder in force or of another one.

    Raises:
        CatalogueError: a file is wrong.
    """
    return _load(folder or _in_force)


def find_matter(key: str, folder: Path | None = None) -> Matter:
    """The matter of this id.

    Raises:
        NotFoundError: no such matter; the message lists those that exist.
    """
    catalogue = load_catalogue(folder)
    if key not in catalogue:
        raise NotFoundError(f"no matter {key!r}; there are {', '.join(sorted(catalogue))}", message_zh="没有这个事项")
    return catalogue[key]
