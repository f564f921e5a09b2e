"""Pages for people: kiosk, public, enterprises. They call the functions that the JSON routes call."""

from __future__ import annotations

from fastapi import FastAPI, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.pages import (
    counter,
    devices,
    errors,
    home,
    kiosk,
    kiosk_case,
    kiosk_uploads,
    matters,
    office,
    office_login,
    office_oidc,
    public,
    registry,
    retention,
    review,
    wallet,
)
from api.pages.render import STATIC


class KeptFiles(StaticFiles):
    """Static files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if path == "kiosk-worker.js":
            response.headers["Service-Worker-Allowed"] = "/kiosk"
        return response


def install(app: FastAPI) -> None:
    """Add the pages to the application; call it after :func:`api.problems.install`."""
    official = (office_login, office_oidc, review, office, matters, registry, devices, retention, counter)
    for module in (home, kiosk, kiosk_case, kiosk_uploads, public, wallet, *official):
        app.include_router(module.router, include_in_schema=False)
    app.mount("/static", GZipMiddleware(KeptFiles(directory=STATIC)), name="static")
    errors.install(app)
