"""The stages of a real worker: the OCR engine reads, the key named in the settings seals; both load on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from docproc.domain import Licence, PageReading, Said
from docproc.errors import SealKeyUnavailableError
from docproc.flow.core.stages import PagePicture, Stages
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.licence.seal.status_list import StatusList
from docproc.matter.model import Matter
from docproc.scan.files.limits import UploadLimits
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.flow.seals.sealer import Sealer

_T = TypeVar("_T")


def real_stages(settings: Settings) -> Stages:
    """Stages that read with the OCR engine and seal with the key named in the settings; both load on first use."""

    def read_file(
        data: bytes,
        filename: str,
        matter: Matter,
        *,
        material: str | None,
        said: Mapping[int, Said] | None = None,
        today: date,
    ) -> Sequence[PageReading]:
        from docproc.read.pipeline import page_engine
        from docproc.read.pipeline import read_file as read

        engine = page_engine(settings.engine_threads)
        limits = _limits(settings)
        return read(data, filename, matter, material=material, said=said, today=today, recogniser=engine, limits=limits)

    def draw_pages(data: bytes) -> Iterable[PagePicture]:
        from docproc.scan.files.preview import previews
        from docproc.scan.registration.quality import first_word

        return previews(data, first_word, _limits(settings))

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

    def load() -> None:
        from docproc.read.pipeline import page_engine

        page_engine(settings.engine_threads)

    def warm() -> None:
        from docproc.read.pipeline import warm_up

        warm_up(settings.engine_threads)

    word = _limits(settings).word
    return Stages(read_file, seal_licence, draw_pages, own_seals, sign_status, limits=word, load=load, warm=warm)


def _limits(settings: Settings) -> UploadLimits:
    return UploadLimits(
        settings.max_upload_bytes,
        settings.max_pages,
        settings.max_pixels,
        page_cpu_s=settings.page_cpu_seconds,
        cpu_s=settings.parse_cpu_seconds,
        memory_mb=settings.parse_memory_mb,
    )
