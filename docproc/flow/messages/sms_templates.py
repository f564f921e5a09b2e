"""Short messages: what may be said (``sms.toml``), and what a provider must be able to do."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from docproc.errors import SetupError

State = Literal["accepted", "put off", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of message."""

    kind: str
    name: str
    """Chinese name, such as 受理."""
    topics: tuple[str, ...]
    """Events that cause it."""
    params: tuple[str, ...]
    """What fills ``{1}``, ``{2}``, … of the text: ``matter`` or ``number``."""
    text: str
    """As registered with the provider."""


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """What is submitted to a provider; never stored nor logged, so it has no repr that shows the number."""

    mobile: str
    """Eleven digits of a mainland mobile."""
    template: str
    """The provider's id of the registered text."""
    params: tuple[str, ...]
    session: str
    """Our id of the message, which the provider gives back."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How it went.

    ``accepted``: the provider sends it. ``put off``: it was certainly not accepted and may be submitted again.
    ``refused``: it was not taken and never will be. ``unknown``: it may have been taken, so it must not be repeated.
    """

    state: State
    code: str
    serial: str | None = None
    """The provider's id, which its receipt names."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that a provider had accepted."""

    serial: str
    session: str
    """Our id, where the provider gives it back; else empty."""
    delivered: bool
    code: str
    """The carrier's word, such as ``DELIVRD``."""


class Provider(Protocol):
    """A service that sends short messages from registered templates."""

    def send(self, message: Message, at: datetime) -> Sent:
        """Hand one message over; network trouble is an outcome and is not raised."""

    def receipts(self, body: object) -> list[Receipt]:
        """Read what the provider posts back, parsed from JSON.

        Raises:
            InputError: it has another shape.
        """


@cache
def templates() -> dict[str, Template]:
    """Every kind of message."""
    data = tomllib.loads(Path(__file__).with_name("sms.toml").read_text(encoding="utf-8"))
    return {
        kind: Template(kind, item["name"], tuple(item["topics"]), tuple(item["params"]), item["text"])
        for kind, item in data.items()
    }


def template_for(topic: str) -> Template | None:
    """The message that an event causes."""
    return next((item for item in templates().values() if topic in item.topics), None)


def template_ids(text: str) -> dict[str, str]:
    """The provider's ids by kind, from ``accepted=1001,returned=1002``.

    Raises:
        SetupError: an unknown kind, or no id.
    """
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, _, value = (piece.strip() for piece in part.partition("="))
        if kind not in templates() or not value:
            raise SetupError(f"DOCPROC_SMS_TEMPLATES: {part!r} is not KIND=ID; kinds: {', '.join(templates())}")
        found[kind] = value
    return found


def is_mobile(value: str) -> bool:
    """Whether a value is the number of a mainland mobile: eleven digits from 13 to 19."""
    return re.fullmatch(r"1[3-9][0-9]{9}", value) is not None


def filled(template: Template, values: dict[str, str]) -> tuple[str, ...]:
    """Values for the text's places."""
    return tuple(values[name] for name in template.params)
