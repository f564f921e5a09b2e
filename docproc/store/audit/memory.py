"""What a process remembers of the audit log beside its key, where nobody reaches who writes the database.

``ROLE.memory.json`` in the folder of the process's key, readable by its owner alone: the newest line up to which it has
checked the log, and the line with which it began the signed part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from docproc.errors import SetupError
from docproc.private_file import write_private
from docproc.store.audit.chain import Head


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process knows of the log from before."""

    head: Head | None = None
    """The newest line that it checked; with all lines before."""
    keyed: Head | None = None
    """The line by which it began the signed part of a log."""


def memory_file(folder: Path, role: str) -> Path:
    """Where a role's processes keep it."""
    return folder / f"{role}.memory.json"


def load(folder: Path, role: str) -> Memory:
    """What is remembered; nothing where there is no file.

    Raises:
        SetupError: the file is damaged or cannot be read.
    """
    path = memory_file(folder, role)
    try:
        raw = json.loads(path.read_bytes())
        return Memory(*(_head(raw[name]) for name in ("head", "keyed")))
    except FileNotFoundError:
        return Memory()
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "restore it, or remove it and run `docproc audit verify`"
        raise SetupError(f"what is remembered of the audit log cannot be read from {path}: {remedy}") from error


def save(folder: Path, role: str, memory: Memory) -> None:
    """Keep it; the file is there as a whole or not at all.

    Raises:
        SetupError: the folder cannot be written.
    """
    path = memory_file(folder, role)
    body = {name: _json(head) for name, head in (("head", memory.head), ("keyed", memory.keyed))}
    try:
        write_private(path, json.dumps(body).encode() + b"\n")
    except OSError as error:
        problem = f"{path} cannot be written: {error.strerror}"
        raise SetupError(f"{problem}; a process writes what it remembers of the audit log beside its key") from error


def _head(raw: dict[str, object] | None) -> Head | None:
    return Head(int(str(raw["line"])), str(raw["sha256"]), bool(raw["signed"])) if raw is not None else None


def _json(head: Head | None) -> dict[str, object] | None:
    return {"line": head.line, "sha256": head.sha256, "signed": head.signed} if head is not None else None
