"""Files of a catalogue as they are submitted: single TOML files, a folder of them, or a zip of it."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import PurePosixPath

from docproc.errors import InputError, LimitError
from docproc.matter.load import COMMON_FILE, MATTERS_DIR

MOST_FILES = 60
MOST_BYTES = 2_000_000
"""Of all files together, unpacked."""
LONGEST_NAME = 200
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What members may be packed by: others may ask for gigabytes to be unpacked."""
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, OverflowError, MemoryError),
)
"""Each is raised by some damage to a zip; a name that is not in the encoding that it says is a ValueError."""
MATTER_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}\.toml")
_ID = re.compile(r'^id\s*=\s*"([a-z][a-z0-9_]{0,59})"', re.MULTILINE)


def unpack(sent: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """Text by name: ``MATTER.toml`` for matters, ``layouts/LAYOUT.toml`` for licence layouts.

    A matter's file bears its id, whatever it was called when it was sent. A folder ``layouts`` holds layouts.

    Raises:
        InputError: not UTF-8, not a zip, a name that is not plain, the common rules changed, or nothing of use.
        LimitError: too many files, or too large.
    """
    found: dict[str, str] = {}
    size = 0
    for path, data in _members(sent):
        size += len(data)
        if len(found) >= MOST_FILES or size > MOST_BYTES:
            raise LimitError(f"over {MOST_FILES} files or {MOST_BYTES} bytes", message_zh="文件太多或太大")
        try:
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            raise InputError(f"{path} is not UTF-8", message_zh=f"{path.name} 不是 UTF-8 编码的文本") from None
        name = _name(path, text)
        if name == COMMON_FILE:
            if text != (MATTERS_DIR / COMMON_FILE).read_text("utf-8"):
                raise InputError("the common rules ship with the software", message_zh=f"{COMMON_FILE} 不能改动")
            continue
        if name in found:
            raise InputError(f"{name} comes twice", message_zh=f"{name} 重复")
        found[name] = text
    if not found:
        raise InputError("no matter file was sent", message_zh="请选择事项文件（TOML、文件夹或 zip）")
    return found


def _members(sent: Sequence[tuple[str, bytes]]) -> Iterator[tuple[PurePosixPath, bytes]]:
    for given, data in sent:
        name = given[-LONGEST_NAME:]
        if not name.lower().endswith(".zip"):
            yield PurePosixPath(name), data
            continue
        try:
            with zipfile.ZipFile(BytesIO(data)) as packed:
                for item in packed.infolist()[: MOST_FILES * 4]:
                    path = PurePosixPath(item.filename[:LONGEST_NAME])
                    if item.is_dir() or path.suffix != ".toml" or path.name.startswith("."):
                        continue
                    if item.compress_type not in PACKED:
                        raise NotImplementedError(f"compression {item.compress_type}")
                    with packed.open(item) as stream:
                        yield path, stream.read(MOST_BYTES + 1)  # what it says of its size is not believed
        except _UNREADABLE as error:
            problem = f"{name}: {type(error).__name__}: {str(error)[:200]}"
            raise InputError(problem, message_zh=f"{name} 不是可以打开的 zip 文件") from error


def _name(path: PurePosixPath, text: str) -> str:
    if path.name == COMMON_FILE:
        return COMMON_FILE
    if path.parent.name == "layouts":
        if not MATTER_NAME.fullmatch(path.name):
            raise InputError(
                f"{path.name!r} is no plain name", message_zh="证照版式的文件名只能用小写字母、数字和下划线"
            )
        return f"layouts/{path.name}"
    named = _ID.search(text)
    name = f"{named[1]}.toml" if named else path.name
    if not MATTER_NAME.fullmatch(name):
        raise InputError(f"{path.name!r} is no matter file", message_zh=f"{path.name} 不是事项文件（缺少 id）")
    return name
