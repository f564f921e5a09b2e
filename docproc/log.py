"""Logs: lines of text or of JSON, with the ids of what is being worked on and never a field's value.

An exception is logged with its type and place. Its message is kept only where it is
one of ours, which name ids; a library's may repeat the data that it choked on.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from docproc.errors import DocprocError

_log = logging.getLogger(__name__)
_ids: ContextVar[dict[str, str]] = ContextVar("docproc_log_ids", default={})  # noqa: B039  (never changed in place)
ErrorInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)  # what logging hands to formatException
FRAMES = 12
"""Innermost frames of a traceback that are kept."""


@contextmanager
def working_on(**ids: str) -> Iterator[None]:
    """Put ids, such as ``job`` or ``application``, on every line that is logged inside the block."""
    token = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def about(**ids: str) -> None:
    """Put more ids on what is logged from here to the end of the innermost :func:`working_on` block."""
    _ids.set({**_ids.get(), **ids})


def configure(level: str, as_json: bool) -> None:
    """Send this process's logs to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = lambda *error: _log.critical("this process ends by an error", exc_info=error)
    threading.excepthook = _thread_failed
    for chatty in ("httpx", "httpcore", "urllib3", "alembic", "fontTools", "pyhanko", "pyhanko_certvalidator"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    error = args.exc_value
    if error is not None:
        _log.error("a thread ended by an error", exc_info=(type(error), error, args.exc_traceback))


class TextLines(logging.Formatter):
    """One line for people, with the ids at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, with ids."""
        ids = " ".join(f"{name}={value}" for name, value in _ids.get().items())
        return f"{super().formatMessage(record)}{f' [{ids}]' if ids else ''}"

    def formatException(self, ei: ErrorInfo) -> str:
        """Type and place, without a library's message."""
        return "\n".join(describe(ei[1])) if ei[1] is not None else ""


class JsonLines(logging.Formatter):
    """One JSON object a line: ``at``, ``level``, ``logger``, ``message``, ids, ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        """The object as text."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().strip(),
            **_ids.get(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def describe(error: BaseException) -> list[str]:
    """An exception, its causes and their places; library messages are left out."""
    lines = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        said = f": {current}" if isinstance(current, DocprocError) else ""
        lines.append(f"{type(current).__module__}.{type(current).__name__}{said}")
        frames = traceback.extract_tb(current.__traceback__)[-FRAMES:]
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        current = current.__cause__ or current.__context__
    return lines
