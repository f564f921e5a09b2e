"""multipart/form-data as it comes in: files to disk, fields within bounds, nothing kept that was not asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.kit.bodies.spool import Files, SpooledFile
from docproc.errors import InputError, LimitError

FIELD_BYTES = 1 << 16
"""All fields of a form with files together; without files the limit of the body is theirs."""
HEADERS, HEADER_BYTES = 6, 2048
"""Of one part."""


class FormError(InputError):
    """A form that is not written as RFC 7578 says."""

    code = "bad_form"
    message_zh = "提交的表单不完整，请刷新页面后重试"


@dataclass(slots=True)
class Form:
    """The fields and files of a form, in their order."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, SpooledFile]] = field(default_factory=list)


class FormReader:
    """Reads a form piece by piece."""

    def __init__(self, content_type: str, files: Files, *, most_files: int, most_fields: int, field_bytes: int) -> None:
        """Begin a form.

        Raises:
            FormError: the type names no boundary.
        """
        _, options = parse_options_header(content_type)
        self.form = Form()
        self._files, self._most_files, self._most_fields = files, most_files, most_fields
        self._left = field_bytes
        self._name, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._field = ""
        self._text: bytearray | None = None
        self._file: SpooledFile | None = None
        self._todo: list[tuple[SpooledFile, bytes | None]] = []
        self._ended = False
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header,
                    "on_headers_finished": self._headers,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._over,
                },
                max_header_count=HEADERS,
                max_header_size=HEADER_BYTES,
            )
        except FormParserError as error:
            raise FormError(f"multipart/form-data: {error}") from error
        if not options.get(b"boundary"):
            raise FormError("multipart/form-data without a boundary")

    async def write(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            FormError: it is no such form.
            LimitError: too many files or fields, or fields that are too large.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise FormError(f"multipart/form-data: {error}") from error
        todo, self._todo = self._todo, []
        for file, piece in todo:
            await (file.finish() if piece is None else file.write(piece))

    def finish(self) -> Form:
        """The form, when all of it came.

        Raises:
            FormError: its end is missing.
        """
        if not self._ended:
            raise FormError("multipart/form-data without its end")
        return self.form

    def close(self) -> None:
        """Let all files go."""
        for _, file in self.form.files:
            file.close()

    def _begin(self) -> None:
        self._disposition = b""
        self._text, self._file = None, None

    def _header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise FormError("a part of the form has no name")
        self._field = options[b"name"].decode("utf-8", "replace")
        if b"filename" not in options:
            if len(self.form.fields) >= self._most_fields:
                raise LimitError(f"over {self._most_fields} fields in one form")
            self._text = bytearray()
            return
        if len(self.form.files) >= self._most_files:
            raise LimitError(f"over {self._most_files} files in one request", code="too_many_files")
        self._file = self._files.begin(options[b"filename"].decode("utf-8", "replace"))
        self.form.files.append((self._field, self._file))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._todo.append((self._file, data[start:end]))
            return
        self._left -= end - start
        if self._left < 0:
            raise LimitError("the fields of the form are too large")
        assert self._text is not None
        self._text += data[start:end]

    def _end(self) -> None:
        if self._file is not None:
            self._todo.append((self._file, None))
        elif self._text is not None:
            self.form.fields.append((self._field, self._text.decode("utf-8", "replace")))

    def _over(self) -> None:
        self._ended = True
