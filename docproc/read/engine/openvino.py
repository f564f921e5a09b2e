"""The service's own OCR engine: PP-OCRv6 networks on OpenVINO.

Its posteriors equal PaddleOCR's; it is faster through bf16 where the CPU has it, little padding, and compiled networks
cached on disk. Weights come from :func:`docproc.assets.paths.weight`.

Crops are processed one by one. On a CPU a batch costs as much as its crops alone, but every new pair of width and batch
size costs a preparation (15 to 70 ms) that stays in memory; with single crops the 100 widths are soon all prepared.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import openvino as ov
import yaml  # type: ignore[import-untyped]
from numpy.typing import NDArray

from docproc.assets.paths import compiled_dir, weight
from docproc.read.engine.detection import DetectionOptions, boxes_of, crop_line, network_size, side_for
from docproc.read.engine.recogniser import Image, Lattice, Line, TextLine, core_columns, greedy, in_charset, prune

HEIGHT = 48
"""Input height of the recognition network."""
MAX_WIDTH = 3200
"""Maximum input width; longer crops are squeezed, as in PaddleX."""
MIN_WIDTH = 64
"""Minimum input width by padding. PaddleX pads to 320: lines are no better, cells worse, at 5 times the cost."""
BUCKET = 32
"""Input widths are multiples of this: few shapes to prepare, little padding."""
PADDING = 128
"""Zero after normalisation (127.5, rounded)."""
IMAGENET_MEAN = [123.675, 116.28, 103.53]
IMAGENET_SCALE = [58.395, 57.12, 57.375]
ORIENTATIONS = (0, 90, 180, 270)


@cache
def _core() -> Any:
    return ov.Core()


def compile_options(core: Any, threads: int, precision: str) -> dict[str, Any]:
    """Return OpenVINO's options for compiling for the CPU; arguments as in :class:`Network`."""
    if precision == "auto":
        precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": False,  # the processes would all be pinned to the first core
    }
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    folder = compiled_dir()
    with suppress(OSError):  # a read-only home only costs a slower start
        folder.mkdir(parents=True, exist_ok=True)
        options["CACHE_DIR"] = str(folder)
    return options


class Network:
    """A compiled network for batches of 8-bit images; calls from several threads are serialised."""

    def __init__(self, file: Path, mean: Sequence[float], scale: Sequence[float], threads: int, precision: str) -> None:
        """Compile ``file`` for the CPU.

        Args:
            file: ONNX file with one input N×3×H×W.
            mean: subtracted from each channel, in 0..255, in the order of the image's channels.
            scale: each channel is divided by this after that.
            threads: at most this many CPU threads; 0 leaves it to OpenVINO.
            precision: ``"bf16"``, ``"f32"``, or ``"auto"``: bf16 where the CPU computes in it.
        """
        core = _core()
        prepare = ov.preprocess.PrePostProcessor(core.read_model(file))
        prepare.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        prepare.input().model().set_layout(ov.Layout("NCHW"))
        prepare.input().preprocess().convert_element_type(ov.Type.f32).mean(list(mean)).scale(list(scale))
        options = compile_options(core, threads, precision)
        self._request = core.compile_model(prepare.build(), "CPU", options).create_infer_request()
        self._lock = threading.Lock()

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run N×H×W×3 images and return the first output, copied."""
        with self._lock:
            self._request.infer([pictures])
            return np.array(self._request.get_output_tensor(0).data, dtype=np.float32)


class LineReader:
    """One PP-OCRv6 recognition network: crops of lines to lattices."""

    def __init__(self, size: str, threads: int, precision: str) -> None:
        """Load the network; arguments as of :class:`OpenVinoRecogniser`."""
        self.charset = charset(weight(f"{size}/rec/inference.yml"))
        self._core_columns = core_columns(self.charset)
        self._network = Network(weight(f"{size}/rec/inference.onnx"), [127.5] * 3, [127.5] * 3, threads, precision)

    def __call__(self, crops: Sequence[Image]) -> list[Lattice]:
        """Recognise crops of one upright line each; the result has the order of the crops."""
        return [self._read(_to_height(crop)) for crop in crops]

    def _read(self, crop: Image) -> Lattice:
        width = padded_width(crop.shape[1])
        padded = np.full((1, HEIGHT, width, 3), PADDING, dtype=np.uint8)
        padded[0, :, : crop.shape[1]] = crop
        return prune(self._network(padded)[0], self.charset, self._core_columns, crop.shape[1] / width)


class OpenVinoRecogniser:
    """PP-OCRv6 detection and recognition on OpenVINO; satisfies :class:`docproc.read.engine.recogniser.Recogniser`."""

    def __init__(
        self,
        size: str = "small",
        threads: int = 0,
        precision: str = "auto",
        detection: DetectionOptions | None = None,
    ) -> None:
        """Load the networks; prefer :func:`engine`, which does it once a process.

        Args:
            size: ``"small"`` or ``"tiny"``.
            threads: see :class:`Network`.
            precision: see :class:`Network`.
            detection: constants of the detector.

        Raises:
            SetupError: the weights have not been fetched.
        """
        self.name = f"openvino/PP-OCRv6_{size}"
        self.detection = detection or DetectionOptions()
        self._threads, self._precision = threads, precision
        finder = weight(f"{size}/det/inference.onnx")
        self._detector = Network(finder, IMAGENET_MEAN, IMAGENET_SCALE, threads, precision)
        self._reader = LineReader(size, threads, precision)
        self._orienter: Network | None = None

    @property
    def charset(self) -> tuple[str, ...]:
        """All characters of the model, the blank (``""``) first."""
        return self._reader.charset

    def posteriors(self, crops: Sequence[Image]) -> list[Lattice]:
        """Recognise crops of one upright line each; the result has the order of the crops."""
        return self._reader(crops)

    def quick(self, crops: Sequence[Image]) -> list[Lattice]:
        """As :meth:`posteriors`, with the tiny network in a quarter of the time; lattices in this engine's charset."""
        reader, places = self._quick
        return [in_charset(lattice, self.charset, places) for lattice in reader(crops)]

    @cached_property
    def _quick(self) -> tuple[LineReader, NDArray[np.int32]]:
        """The tiny network, and the indices of its characters in this engine's charset."""
        reader = LineReader("tiny", self._threads, self._precision)
        places = {char: place for place, char in enumerate(self.charset)}
        return reader, np.array([places.get(char, -1) for char in reader.charset], dtype=np.int32)

    def detect(self, image: Image, letter_px: float = 0.0) -> list[Line]:
        """Detect the text lines of a page, in reading order; ``letter_px`` is the letter height, 0 if unknown."""
        height, width = image.shape[:2]
        rows, columns = network_size(height, width, side_for(max(height, width), letter_px, self.detection))
        shown = image if (rows, columns) == (height, width) else cv2.resize(image, (columns, rows))
        score_map = self._detector(np.ascontiguousarray(shown[None]).astype(np.uint8, copy=False))[0, 0]
        return boxes_of(score_map, height, width, self.detection)

    def read_lines(self, image: Image, letter_px: float = 0.0) -> list[TextLine]:
        """Detect and recognise all lines of a page, in reading order, without empty ones."""
        lines = self.detect(image, letter_px)
        lattices = self.posteriors([crop_line(image, line.quad) for line in lines])
        read = ((*greedy(lattice), line.quad, lattice) for line, lattice in zip(lines, lattices, strict=True))
        return [TextLine(*parts) for parts in read if parts[0]]

    def orientation(self, image: Image) -> tuple[int, float]:
        """Return the clockwise rotation of the page in degrees (0, 90, 180, 270), and its score (0..1)."""
        if self._orienter is None:
            file = weight("doc_ori/inference.onnx")
            self._orienter = Network(file, IMAGENET_MEAN, IMAGENET_SCALE, self._threads, self._precision)
        scores = self._orienter(_centre_crop(image)[None])[0]
        best = int(scores.argmax())
        return ORIENTATIONS[best], float(scores[best])


def charset(file: Path) -> tuple[str, ...]:
    """Return a recognition model's characters: the blank (``""``) first, then its dictionary, then the space."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    config = yaml.load(file.read_text("utf-8"), Loader=loader)
    return ("", *map(str, config["PostProcess"]["character_dict"]), " ")


def padded_width(width: int) -> int:
    """Return the columns a crop of ``width`` columns is padded to."""
    return min(max(math.ceil(width / BUCKET) * BUCKET, MIN_WIDTH), MAX_WIDTH)


def _to_height(crop: Image) -> Image:
    height, width = crop.shape[:2]
    if not height or not width:
        raise ValueError(f"a crop of {height}×{width} pixels cannot be read")
    scaled = min(max(math.ceil(HEIGHT * width / height), 1), MAX_WIDTH)
    return cast(Image, cv2.resize(crop, (scaled, HEIGHT)))


def _centre_crop(image: Image) -> Image:
    """Scale the short side to 256 and crop the central 224×224, as in the training of the orientation network."""
    height, width = image.shape[:2]
    ratio = 256 / min(height, width)
    scaled = cv2.resize(image, (max(round(width * ratio), 224), max(round(height * ratio), 224)))
    y, x = (scaled.shape[0] - 224) // 2, (scaled.shape[1] - 224) // 2
    return np.ascontiguousarray(scaled[y : y + 224, x : x + 224, ::-1])  # this network was trained on RGB


@cache
def engine(size: str = "small", threads: int = 0) -> OpenVinoRecogniser:
    """Return this process's engine, loaded at the first call (under two seconds from a warm cache)."""
    return OpenVinoRecogniser(size, threads)
