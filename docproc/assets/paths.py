"""Where fetched files (OCR weights, fonts) live, and what to do when they are missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from docproc.errors import SetupError

_CHECKOUT = Path(__file__).resolve().parents[2] / "models"
_INSTALLED = Path(sys.prefix) / "share" / "docproc" / "models"
"""Where a wheel puts the manifest, and fetching the files that it names."""
SERIF = "NotoSerifCJKsc-Regular"
SANS = "NotoSansCJKsc-Regular"


def manifest_path() -> Path:
    """The list of files to fetch: ``models/manifest.toml`` of the checkout, or the one that the wheel installed."""
    checkout = _CHECKOUT / "manifest.toml"
    return checkout if checkout.is_file() or not _INSTALLED.is_dir() else _INSTALLED / "manifest.toml"


def models_dir() -> Path:
    """Folder of fetched files: ``DOCPROC_MODELS``, or the folder of the manifest."""
    return Path(os.environ.get("DOCPROC_MODELS", manifest_path().parent))


def weights_dir() -> Path:
    """Folder of OCR weights, one sub-folder a model."""
    return models_dir() / "weights"


def weight(name: str) -> Path:
    """Path of a weights file such as ``small/rec/inference.onnx``.

    Raises:
        SetupError: the file has not been fetched.
    """
    return _present(weights_dir() / name)


def font(name: str = SERIF) -> Path:
    """Path of a fetched font by name, for example :data:`SERIF` or :data:`SANS`.

    Raises:
        SetupError: the file has not been fetched.
    """
    return _present(models_dir() / "fonts" / f"{name}.otf")


def compiled_dir() -> Path:
    """Folder of the networks that the OCR engine compiled for this processor, in ``XDG_CACHE_HOME`` or ``~/.cache``."""
    return cache_folder("openvino")


def cache_folder(name: str) -> Path:
    """A folder of what was made once and can be made again, in ``XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "docproc" / name


def _present(path: Path) -> Path:
    if not path.is_file():
        raise SetupError(f"{path} is missing: run `docproc models fetch`")
    return path
