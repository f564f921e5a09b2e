"""The work that jobs do, as functions that a worker is given: reading a file, sealing a licence.

Only workers import what these load: OCR weights, seal keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Protocol, TypeVar

from docproc.domain import Licence, PageReading
from docproc.errors import SealKeyUnavailableError
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.licence.seal.status_list import StatusList
from docproc.matter.model import Matter
from docproc.scan.files.limits import Limits
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.flow.seals.sealer import Sealer

_T = TypeVar("_T")


class ReadFile(Protocol):
    """Reads one uploaded file."""

    def __call__(
        self, data: bytes, filename: str, matter: Matter, *, material: str | None, today: date
    ) -> Sequence[PageReading]:
        """Every page of the file.

        Raises:
            InputError: the file cannot be used; the message tells the citizen why.
        """


class PagePicture(Protocol):
    """A page for the screen; :class:`docproc.scan.files.preview.Preview` is one."""

    @property
    def index(self) -> int:
        """0-based within the file."""

    @property
    def width(self) -> int:
        """Pixels of the page as handed in."""

    @property
    def height(self) -> int:
        """Pixels of the page as handed in."""

    @property
    def view(self) -> bytes:
        """WebP to read on the screen."""

    @property
    def thumb(self) -> bytes:
        """WebP for a list."""


DrawPages = Callable[[bytes], Sequence[PagePicture]]
"""Pictures of every page of an uploaded file; raises InputError when it cannot be used."""
SealLicence = Callable[[Licence, Sequence[RegisteredSeal], datetime], bytes]
"""Renders, seals with registered seals, the issuing authority's first, and verifies a licence; raises
SealUnavailableError or SealError."""
SignStatus = Callable[[StatusList], str]
"""Signs a status list with the key of this sealer."""
OwnSeals = Callable[[], Sequence[RegisteredSeal]]
"""Seals of the development PKI behind the sealer's key; none where the key is a real one."""


@dataclass(frozen=True, slots=True)
class Stages:
    """What a worker runs."""

    read_file: ReadFile
    seal_licence: SealLicence
    draw_pages: DrawPages = lambda data: ()
    """Default: no pictures."""
    own_seals: OwnSeals = lambda: ()
    """Registered where the registry is empty."""
    sign_status: SignStatus | None = None
    """``None``: no status list is made."""


def real_stages(settings: Settings) -> Stages:
    """Stages that read with the OCR engine and seal with the key named in the settings; both load on first use."""

    def read_file(
        data: bytes, filename: str, matter: Matter, *, material: str | None, today: date
    ) -> Sequence[PageReading]:
        from docproc.read.pipeline import page_engine
        from docproc.read.pipeline import read_file as read

        engine = page_engine(settings.engine_threads)
        return read(data, filename, matter, material=material, today=today, recogniser=engine, limits=_limits(settings))

    def draw_pages(data: bytes) -> Sequence[PagePicture]:
        from docproc.scan.files.preview import previews

        return previews(data, _limits(settings))

    @cache
    def sealer() -> Sealer:
        from docproc.flow.seals.sealer import open_sealer

        return open_sealer(settings)

    def own_seals() -> Sequence[RegisteredSeal]:
        from docproc.flow.seals.sealer import development_seals

        return development_seals(settings)

    def with_key(use: Callable[[Sealer], _T]) -> _T:
        try:
            return use(sealer())
        except SealKeyUnavailableError:
            sealer.cache_clear()  # a token that comes back must be opened anew
            raise

    def seal_licence(licence: Licence, seals: Sequence[RegisteredSeal], at: datetime) -> bytes:
        return with_key(lambda opened: opened(licence, seals, at))

    def sign_status(content: StatusList) -> str:
        return with_key(lambda opened: opened.sign_status(content))

    return Stages(read_file, seal_licence, draw_pages, own_seals, sign_status)


def _limits(settings: Settings) -> Limits:
    return Limits(settings.max_upload_bytes, settings.max_pages, settings.max_pixels)
