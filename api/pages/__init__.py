"""Pages for people: kiosk, public, enterprises. They call the functions that the JSON routes call."""

from __future__ import annotations

from fastapi import FastAPI, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.kit import error_pages
from api.kit.render import STATIC
from api.pages.enterprise import wallet
from api.pages.kiosk import case, kiosk, read_back, uploads
from api.pages.office import accounts, audit, counter, figures, kiosks, login, matters, oidc, review, seals, upkeep
from api.pages.public import docs, home, public


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
    """Add the pages to the application; call it after :func:`api.kit.problems.install`."""
    official = (login, oidc, review, accounts, figures, audit, matters, seals, kiosks, upkeep, counter)
    for module in (home, docs, kiosk, case, read_back, uploads, public, wallet, *official):
        app.include_router(module.router, include_in_schema=False)
    app.mount("/static", GZipMiddleware(KeptFiles(directory=STATIC)), name="static")
    error_pages.install(app)
