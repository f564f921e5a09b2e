"""PaddleOCR 3.7 as an OCR engine: the reference in benchmarks, and a host for our OpenVINO runtime.

It runs without PaddlePaddle, from the local weights, on ONNX Runtime or (registered here) on OpenVINO. Importing this
module takes seconds; import it only where PaddleOCR is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

# PaddleX contacts a model hub when imported; the machines of this service have no access to one.
os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")

import numpy as np
import openvino as ov
import paddleocr._common_args as paddle_args
from numpy.typing import NDArray
from paddleocr import PaddleOCR
from paddlex.inference.models.bindings import register_predictor_binding_map
from paddlex.inference.models.engines import RunnerEngine
from paddlex.inference.models.runners.inference_runner import InferenceRunner
from paddlex.inference.models.text_detection.predictor import TextDetRunnerPredictor
from paddlex.inference.models.text_recognition.predictor import TextRecRunnerPredictor
from pydantic import BaseModel, ConfigDict

from docproc.assets.paths import weight
from docproc.read.engine.detection import crop_line, reading_order
from docproc.read.engine.openvino import charset, compile_options
from docproc.read.engine.recogniser import Image, Lattice, Line, Quad, TextLine, core_columns, greedy, prune

Runtime = Literal["onnxruntime", "openvino"]
BATCH = 6
"""Crops in one batch, as in PaddleX's ``OCR.yaml``."""


class OpenVinoConfig(BaseModel):
    """Options of the OpenVINO runtime in ``engine_config``."""

    model_config = ConfigDict(extra="forbid")

    threads: int = 0
    precision: str = "auto"


class OpenVinoRunner(InferenceRunner):
    """Runs one ONNX file on OpenVINO, in the calling convention of PaddleX."""

    def __init__(self, file: Path, config: OpenVinoConfig) -> None:
        """Compile the network."""
        core = ov.Core()
        options = compile_options(core, config.threads, config.precision)
        self._request = core.compile_model(str(file), "CPU", options).create_infer_request()

    def __call__(self, x: Any = None, **kwargs: Any) -> list[NDArray[np.float32]]:
        """Return the first output of the network for a list with one array."""
        self._request.infer([np.ascontiguousarray(x[0])])
        return [np.array(self._request.get_output_tensor(0).data, dtype=np.float32)]

    def close(self) -> None:
        """Release the network."""
        del self._request


class OpenVinoEngine(RunnerEngine):
    """Makes ``PaddleOCR(engine="openvino")`` work."""

    entities = "openvino"

    @property
    def name(self) -> str:
        """Name in PaddleX's registry."""
        return "openvino"

    @property
    def engine_config_model(self) -> type[OpenVinoConfig]:
        """Schema of ``engine_config``."""
        return OpenVinoConfig

    def get_supported_model_formats(self) -> tuple[str, ...]:
        """OpenVINO reads the same files as ONNX Runtime."""
        return ("onnx",)

    def get_default_runner_builder(self) -> Callable[..., InferenceRunner]:
        """Return the function PaddleX calls with a model's folder and configuration."""

        def build(*, model_dir: Path, engine_config: dict[str, Any], **_: Any) -> InferenceRunner:
            return OpenVinoRunner(Path(model_dir) / "inference.onnx", OpenVinoConfig.model_validate(engine_config))

        return build

    def validate_runner(self, runner: InferenceRunner) -> None:
        """Reject a runner of another engine."""
        if not isinstance(runner, OpenVinoRunner):
            raise TypeError(f"the openvino engine got a {type(runner).__name__}")


def _add_openvino() -> None:
    sizes = ("small", "tiny")
    register_predictor_binding_map(TextDetRunnerPredictor, {"openvino": [f"PP-OCRv6_{s}_det" for s in sizes]})
    register_predictor_binding_map(TextRecRunnerPredictor, {"openvino": [f"PP-OCRv6_{s}_rec" for s in sizes]})
    paddle_args.SUPPORTED_INFERENCE_ENGINE_LIST.append("openvino")


_add_openvino()


class PaddleRecogniser:
    """PaddleOCR behind :class:`docproc.read.engine.recogniser.Recogniser`."""

    def __init__(self, runtime: Runtime = "onnxruntime", size: str = "small", side: int | None = None) -> None:
        """Build PaddleOCR from the local weights.

        Args:
            runtime: inference runtime.
            size: ``"small"`` or ``"tiny"``.
            side: longest side of the detector's input, pixels; ``None`` is PaddleOCR's default (the full page).

        Raises:
            SetupError: the weights have not been fetched.
        """
        self.name = f"paddleocr/{runtime}/PP-OCRv6_{size}"
        finder, reader = weight(f"{size}/det/inference.onnx"), weight(f"{size}/rec/inference.onnx")
        limit = {} if side is None else {"text_det_limit_side_len": side, "text_det_limit_type": "max"}
        self._ocr = PaddleOCR(
            engine=runtime,
            text_detection_model_name=f"PP-OCRv6_{size}_det",
            text_detection_model_dir=str(finder.parent),
            text_recognition_model_name=f"PP-OCRv6_{size}_rec",
            text_recognition_model_dir=str(reader.parent),
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
            use_textline_orientation=False,
            **limit,
        )
        self._pipeline = self._ocr.paddlex_pipeline._pipeline
        self._charset = charset(weight(f"{size}/rec/inference.yml"))
        self._core_columns = core_columns(self._charset)

    def posteriors(self, crops: Sequence[Image]) -> list[Lattice]:
        """Recognise crops of one upright line each; the result has the order of the crops."""
        lattices: dict[int, Lattice] = {}
        order = sorted(range(len(crops)), key=lambda i: crops[i].shape[1] / crops[i].shape[0])
        for start in range(0, len(order), BATCH):
            group = order[start : start + BATCH]
            lattices.update(zip(group, self._read([crops[i] for i in group]), strict=True))
        return [lattices[i] for i in range(len(crops))]

    def _read(self, crops: list[Image]) -> Iterator[Lattice]:
        network = self._pipeline.text_rec_model
        batch = network.pre_tfs["ToBatch"](imgs=network.pre_tfs["ReisizeNorm"](imgs=crops))
        height, width = batch[0].shape[2:]
        for crop, dense in zip(crops, network.runner(x=batch)[0], strict=True):
            share = min(height * crop.shape[1] / crop.shape[0] / width, 1.0)
            yield prune(dense, self._charset, self._core_columns, share)

    def quick(self, crops: Sequence[Image]) -> list[Lattice]:
        """As :meth:`posteriors`: this engine has one network."""
        return self.posteriors(crops)

    def detect(self, image: Image, letter_px: float = 0.0) -> list[Line]:
        """Detect the text lines of a page, in reading order; PaddleOCR ignores the letter height."""
        found = next(iter(self._pipeline.text_det_model([image], **self._pipeline.get_text_det_params())))
        pairs = zip(found["dt_polys"], found["dt_scores"], strict=True)
        return reading_order([Line(np.asarray(poly, dtype=np.float32), float(score)) for poly, score in pairs])

    def read_lines(self, image: Image, letter_px: float = 0.0) -> list[TextLine]:
        """Detect and recognise all lines of a page, in reading order, without empty ones."""
        lines = self.detect(image, letter_px)
        lattices = self.posteriors([crop_line(image, line.quad) for line in lines])
        read = ((*greedy(lattice), line.quad, lattice) for line, lattice in zip(lines, lattices, strict=True))
        return [TextLine(*parts) for parts in read if parts[0]]

    def stock(self, image: Image) -> list[tuple[str, float, Quad]]:
        """Return ``(text, score, quad)`` of each line as PaddleOCR's own pipeline gives it, for comparison."""
        result = self._ocr.predict(image)[0]
        parts = zip(result["rec_texts"], result["rec_scores"], result["rec_polys"], strict=True)
        return [(text, float(score), np.asarray(quad, dtype=np.float32)) for text, score, quad in parts]


@cache
def engine(runtime: Runtime = "onnxruntime", size: str = "small", side: int | None = None) -> PaddleRecogniser:
    """Return this process's PaddleOCR of a kind, built at the first call."""
    return PaddleRecogniser(runtime, size, side)
