"""Pictures of blank forms, kept on disk: to draw one takes seconds, which a reader that just started does not have.

They are kept under a hash of all that they are drawn from: the form, the layout, the program and its libraries. What
is not there, not whole or not writable is drawn.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from docproc import __version__, marks
from docproc.assets.paths import SANS, SERIF, cache_folder, font
from docproc.form import layout as form_layout
from docproc.form.layout import FormLayout
from docproc.matter.model import Form, Matter
from docproc.scan.image.geometry import Image

_MOST_BYTES = 200_000_000
"""Of a kept file, unpacked: more is none of ours."""


def kept(matter: Matter, form: Form, layout: FormLayout) -> tuple[Image, ...] | None:
    """The pages of a blank form, grey, if they were kept."""
    path = _path(matter, form, layout)
    try:
        if path.stat().st_size > _MOST_BYTES or path.stat().st_uid != os.getuid():
            return None
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            pages = [cv2.imdecode(file[f"arr_{at}"], cv2.IMREAD_GRAYSCALE) for at in range(len(file.files))]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, cv2.error):
        return None
    if not pages or any(page is None for page in pages):
        return None
    return tuple(np.asarray(page, np.uint8) for page in pages)


def keep(matter: Matter, form: Form, layout: FormLayout, pages: Sequence[Image]) -> None:
    """Keep the pages of a blank form, without loss; a folder that cannot be written only costs time later."""
    path = _path(matter, form, layout)
    coded = [cv2.imencode(".png", page)[1] for page in pages]
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, *coded)
            Path(made).replace(path)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise


def _path(matter: Matter, form: Form, layout: FormLayout) -> Path:
    digest = hashlib.sha256(repr((matter.id, form, layout, _program())).encode()).hexdigest()
    return cache_folder("blanks") / f"{digest}.npz"


@cache
def _program() -> tuple[str, ...]:
    """What else decides how a form looks."""
    digest = hashlib.sha256()
    sources = sorted(Path(form_layout.__file__).parent.glob("*.py"))
    for source in (*sources, Path(marks.__file__), Path(__file__).with_name("template.py")):
        digest.update(source.read_bytes())
    fonts = [str(font(name).stat().st_size) for name in (SERIF, SANS)]
    return __version__, version("pymupdf"), cv2.__version__, digest.hexdigest(), *fonts
