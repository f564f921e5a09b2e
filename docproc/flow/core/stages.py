"""The work that jobs do, as functions that a worker is given: reading a file, sealing a licence.

Jobs carry ids only; a step asks :class:`Tools` for the context and the stages of its worker process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from docproc.domain import Licence, PageReading, Quality, Said
from docproc.errors import SetupError
from docproc.flow.core.context import Context
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.licence.seal.status_list import StatusList
from docproc.matter.model import Matter


class ReadFile(Protocol):
    """Reads one uploaded file."""

    def __call__(
        self,
        data: bytes,
        filename: str,
        matter: Matter,
        *,
        material: str | None,
        said: Mapping[int, Said] | None = None,
        today: date,
    ) -> Sequence[PageReading]:
        """Every page of the file or, with ``said``, those that a person named, each as what it is said to be.

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
        """Pixels of the page as submitted."""

    @property
    def height(self) -> int:
        """Pixels of the page as submitted."""

    @property
    def view(self) -> bytes:
        """WebP to read on the screen."""

    @property
    def thumb(self) -> bytes:
        """WebP for a list."""

    @property
    def quality(self) -> Quality:
        """At first sight."""


DrawPages = Callable[[bytes], Iterable[PagePicture]]
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
    limits: str = ""
    """Word for the limits under which files are opened: what they refused as too dear they are not asked again."""
    load: Callable[[], None] = lambda: None
    """Loads what takes longest to load, and prepares nothing: what a spare worker holds for as long as it waits."""
    warm: Callable[[], None] = lambda: None
    """Loads what the first file would have to wait for; may be called at any time, in any thread."""


class Tools:
    """The context and stages of this worker process; jobs carry ids only."""

    _installed: tuple[Context, Stages] | None = None

    @classmethod
    def install(cls, ctx: Context, stages: Stages) -> None:
        """Set them before the engine is launched."""
        cls._installed = (ctx, stages)

    @classmethod
    def get(cls) -> tuple[Context, Stages]:
        """What a step works with; every step calls it.

        Raises:
            SetupError: this process is no worker.
            UnavailableError: its clock is wrong; the step is tried again until it is right.
        """
        if cls._installed is None:
            raise SetupError("this process is no worker: start one with `docproc worker`")
        cls._installed[0].check_clock()
        cls._installed[0].refresh()
        return cls._installed
