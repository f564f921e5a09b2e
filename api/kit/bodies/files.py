"""What routes depend on that take files: as they lie on disk, or as bytes where something needs them whole.

Each dependency says what it takes; that is the route's limit, and there is no other list of limits.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from api.kit.bodies.declared import Takes, takes
from api.kit.bodies.route import in_memory, sent
from api.kit.bodies.spool import SpooledFile
from docproc.canonical import JsonObject
from docproc.errors import InputError
from docproc.flow.licences.bulk import MAX_FILES
from docproc.flow.matters import bundles
from docproc.licence.verify.verify_limited import MAX_BYTES
from docproc.read.printed import photo
from docproc.scan.compare import paper_match
from docproc.settings import Settings

CERTIFICATES_BYTES = 900_000
AT_KIOSK, AT_COUNTER = 20, 40
"""Files of one form at the kiosk and at the counter."""


def of_scan(settings: Settings) -> int:
    """Bytes of one upload, or of several that are sent together."""
    return settings.max_upload_bytes


def of_licence(settings: Settings) -> int:
    """As much as the verifier judges."""
    return min(MAX_BYTES, settings.max_upload_bytes)


def fields(most: int) -> Dependency:
    """Dependency of a route whose form has so many fields."""

    @takes(Takes("form", fields=most))
    def check() -> None:
        """It says this and does nothing."""

    return Dependency(check)


def _one(request: Request) -> SpooledFile:
    """The body itself, or the first file of multipart/form-data.

    Raises:
        InputError: multipart without a file.
    """
    found = sent(request)
    if found.files:
        return found.files[0][1]
    if found.is_form:
        raise InputError("multipart/form-data without a file", message_zh="没有收到文件，请重新选择")
    file: SpooledFile = request.app.state.spool.begin()
    return file.finished()


@takes(Takes("files", of_scan, files=1, fields=8))
async def read_scan(request: Request) -> SpooledFile:
    """The file of a request; its name is empty where the body is the file."""
    return _one(request)


Scan = Annotated[SpooledFile, Depends(read_scan)]


def chosen(request: Request) -> list[SpooledFile]:
    """The files of a form on a page; an empty choice is sent as a file without a name."""
    return [file for field, file in sent(request).files if field == "file" and file.name]


@takes(Takes("files", of_scan, files=AT_KIOSK, fields=8))
async def read_kiosk(request: Request) -> list[SpooledFile]:
    """The files of the kiosk's form."""
    return chosen(request)


@takes(Takes("files", of_scan, files=AT_COUNTER, fields=8))
async def read_counter(request: Request) -> list[SpooledFile]:
    """The files of the counter's form."""
    return chosen(request)


KioskScans = Annotated[list[SpooledFile], Depends(read_kiosk)]
CounterScans = Annotated[list[SpooledFile], Depends(read_counter)]


@takes(Takes("files", of_licence, files=1, fields=8))
async def read_licence(request: Request) -> tuple[bytes, str]:
    """The file to verify and its name."""
    file = _one(request)
    return (await in_memory(request, [file]))[0], file.name


Licence = Annotated[tuple[bytes, str], Depends(read_licence)]


async def _all(request: Request) -> list[tuple[str, bytes]]:
    """Name and bytes of all files of a form, in their order; another kind of body has none."""
    if not sent(request).is_form:
        return []
    files = [file for _, file in sent(request).files]
    return list(zip([file.name for file in files], await in_memory(request, files), strict=True))


@takes(Takes("files", of_scan, files=MAX_FILES + 1, fields=8))
async def read_licences(request: Request) -> list[tuple[str, bytes]]:
    """Many files to verify."""
    return await _all(request)


Licences = Annotated[list[tuple[str, bytes]], Depends(read_licences)]


@takes(Takes("files", lambda settings: paper_match.MAX_ALL_BYTES, files=paper_match.MAX_FILES + 1, fields=8))
async def read_papers(request: Request) -> list[tuple[str, bytes]]:
    """Fresh scans of paper."""
    return [(name, data) for name, data in await _all(request) if data]


Papers = Annotated[list[tuple[str, bytes]], Depends(read_papers)]


@takes(Takes("files", lambda settings: bundles.MOST_BYTES, files=bundles.MOST_FILES + 1, fields=8))
async def read_matters(request: Request) -> list[tuple[str, bytes]]:
    """Matter files."""
    return await _all(request)


MatterFiles = Annotated[list[tuple[str, bytes]], Depends(read_matters)]


@takes(Takes("files", lambda settings: CERTIFICATES_BYTES, files=2, fields=60))
async def read_certificates(request: Request) -> bytes:
    """Certificates in PEM; nothing where none were chosen."""
    files = [file for field, file in sent(request).files if field == "certificates"]
    return (await in_memory(request, files[:1]) or [b""])[0]


Certificates = Annotated[bytes, Depends(read_certificates)]


@takes(Takes("stream", of_scan))
def streamed() -> None:
    """For routes that read their body as it comes."""


STREAMED = Depends(streamed)


@takes(Takes("files", lambda settings: photo.MAX_ALL_BYTES, files=photo.MAX_PHOTOS + 1, fields=8))
async def read_photos(request: Request) -> list[bytes]:
    """The photographs of a request: the body itself, or every file of a form that is not empty."""
    if not sent(request).is_form:
        return await in_memory(request, [_one(request)])
    return [data for _, data in await _all(request) if data]


Photos = Annotated[list[bytes], Depends(read_photos)]
FILES_BODY: JsonObject = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}
"""What a route with many files says of its body in the OpenAPI document."""
