"""One thread, so that CPU time can be measured and tests can run side by side."""

from __future__ import annotations

import cv2

cv2.setNumThreads(1)
