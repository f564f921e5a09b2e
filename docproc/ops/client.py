"""A small client of the HTTP interface, for ``docproc submit`` and the demonstration."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from docproc.canonical import JsonObject
from docproc.errors import (
    AccessError,
    BusyError,
    ConflictError,
    DocprocError,
    InputError,
    NotFoundError,
    SetupError,
)

POLL_SECONDS = 0.25
_ERRORS: dict[int, type[DocprocError]] = {401: AccessError, 403: AccessError, 404: NotFoundError, 409: ConflictError}


class Client:
    """One caller of a service; each creating request carries an Idempotency-Key and can safely be repeated."""

    def __init__(self, server: str, key: str | None = None, timeout: float = 60.0) -> None:
        """Connect to ``server`` (``http://host:port``) with an API key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.HTTPTransport(retries=3)
        self._http = httpx.Client(base_url=server, headers=headers, timeout=timeout, transport=transport)
        self._server = server

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str) -> Any:
        """JSON of a GET."""
        return self._send("GET", path).json()

    def download(self, path: str) -> bytes:
        """Bytes of a GET."""
        return self._send("GET", path).content

    def post(self, path: str, body: JsonObject | None = None, once: str | None = None) -> Any:
        """JSON of a POST that takes effect once however often it is sent; ``once`` identifies it across runs."""
        return self._send("POST", path, json=body, headers={"Idempotency-Key": once or uuid.uuid4().hex}).json()

    def put(self, path: str, body: JsonObject) -> Any:
        """JSON of a PUT."""
        return self._send("PUT", path, json=body).json()

    def upload(self, path: str, data: bytes, filename: str, once: str | None = None) -> Any:
        """JSON of a POST of one file; ``once`` as in :meth:`post`."""
        headers = {"Idempotency-Key": once or uuid.uuid4().hex}
        return self._send("POST", path, files={"file": (filename, data)}, headers=headers).json()

    def hand_in(self, matter: str, files: Sequence[Path], wait: float = 600.0) -> Any:
        """Open an application, upload the files and wait for the verdict.

        Raises:
            SetupError: no verdict within ``wait`` seconds.
        """
        number = self.post("/v1/applications", {"matter": matter})["number"]
        for path in files:
            self.upload(f"/v1/applications/{number}/pages", path.read_bytes(), path.name)
        return self.wait_for(number, lambda view: bool(view["checked"]), wait)

    def wait_for(self, number: str, done: Any, wait: float = 600.0, every: float = POLL_SECONDS) -> Any:
        """Poll an application until ``done(view)``.

        Raises:
            SetupError: not within ``wait`` seconds.
        """
        until = time.monotonic() + wait
        while True:
            view = self.get(f"/v1/applications/{number}")
            if done(view):
                return view
            if time.monotonic() > until:
                raise SetupError(
                    f"{number}: nothing happened for {wait:.0f} s; is a worker running? see `docproc worker`"
                )
            time.sleep(every)

    def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **given)
        except httpx.TransportError as error:
            raise SetupError(f"no service at {self._server} ({error}): start one with `docproc serve`") from error
        if response.is_success:
            return response
        try:
            problem = response.json()
            told = f"{problem.get('title', '')} ({problem.get('detail', '')})"
        except ValueError:
            told = response.text[:200]
        if response.status_code in (429, 503):
            after = response.headers.get("Retry-After", "")
            raise BusyError(f"{method} {path}: {told}", retry_after=int(after) if after.isdigit() else 10)
        raise _ERRORS.get(response.status_code, InputError)(f"{method} {path}: {response.status_code} {told}")
