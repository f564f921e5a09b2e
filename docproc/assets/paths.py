"""Where fetched files (OCR weights, fonts) live, and what to do when they are missing."""

from __future__ import annotations

import os
from pathlib import Path

from docproc.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
SERIF = "NotoSerifCJKsc-Regular"
SANS = "NotoSansCJKsc-Regular"


def models_dir() -> Path:
    """Folder of fetched files: ``DOCPROC_MODELS`` or ``models/`` of the checkout."""
    return Path(os.environ.get("DOCPROC_MODELS", ROOT / "models"))


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


def _present(path: Path) -> Path:
    if not path.is_file():
        raise SetupError(f"{path} is missing: run `docproc models fetch`")
    return path
