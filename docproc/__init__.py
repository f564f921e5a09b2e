"""docproc: scans in, sealed and verifiable licences out."""

from __future__ import annotations

import os
import sys

__version__ = "0.1.0"

# Small systems of equations gain nothing from threads that wait for each other: on two busy cores laying a page onto
# its form then took three times the processor time. Work is spread over processes, which OpenCV's threads would also
# take from each other. numpy and OpenCV read these when they load.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

# PyMuPDF loads its models for the layout of articles as soon as it is imported: 0.6 s and 60 MB in every process, for
# what we never ask. It goes on without them where they are missing.
sys.modules.setdefault("pymupdf.layout", None)  # type: ignore[arg-type]
