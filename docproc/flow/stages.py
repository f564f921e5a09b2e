"""The work that jobs do, as functions that a worker is given: reading a file, sealing a licence.

Only workers import what these load: OCR weights, seal keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Protocol

from docproc.domain import Licence, PageReading
from docproc.matter import Matter
from docproc.settings import Settings


class ReadFile(Protocol):
    """Reads one uploaded file."""

    def __call__(
        self, data: bytes, filename: str, matter: Matter, *, material: str | None, today: date
    ) -> Sequence[PageReading]:
        """Every page of the file.

        Raises:
            InputError: the file cannot be used; the message tells the citizen why.
        """


SealLicence = Callable[[Licence, datetime], bytes]
"""Renders, seals and verifies a licence at a moment; raises SealUnavailableError or SealError."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What a worker runs."""

    read_file: ReadFile
    seal_licence: SealLicence


def real_stages(settings: Settings) -> Stages:
    """Stages that read with the OCR engine and seal with the key named in the settings; both load on first use."""

    def read_file(
        data: bytes, filename: str, matter: Matter, *, material: str | None, today: date
    ) -> Sequence[PageReading]:
        from docproc.read.page import read_file as read
        from docproc.scan.limits import Limits

        limits = Limits(settings.max_upload_bytes, settings.max_pages, settings.max_pixels)
        return read(data, filename, matter, material=material, today=today, limits=limits)

    @cache
    def sealer() -> SealLicence:
        from docproc.flow.sealing import open_sealer

        return open_sealer(settings)

    return Stages(read_file, lambda licence, at: sealer()(licence, at))
