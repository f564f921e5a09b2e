"""docproc: scans in, sealed and verifiable licences out."""

from __future__ import annotations

import os

__version__ = "0.1.0"

# Small systems of equations gain nothing from threads that wait for each other: on two busy cores laying a page onto
# its form then took three times the processor time. Work is spread over processes, which OpenCV's threads would also
# take from each other. numpy and OpenCV read these when they load.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
