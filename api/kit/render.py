"""Pages from templates: words, addresses of static files, and the headers that every page carries."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.kit import csrf
from api.kit.i18n.said import say
from api.kit.i18n.words import language_of, translate
from docproc.domain import CHINA

_HERE = Path(__file__).parents[1]
STATIC = _HERE / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""No inline script or style, nothing from elsewhere, nothing kept by the browser."""

_environment = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates = Jinja2Templates(env=_environment)


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Render a template; it knows ``t(key)``, ``say(text)``, ``lang``, ``static(name)``, ``csrf_field()``."""
    language = language_of(request)
    word = csrf.token(request)
    context = {
        "lang": language,
        "t": partial(translate, language),
        "say": partial(say, language),
        "csrf_token": word,
        "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(csrf.FIELD, word),
        **values,
    }
    response = _templates.TemplateResponse(request, template, context, status, HEADERS)
    csrf.keep(request, response)
    return response


def is_fragment(request: Request) -> bool:
    """Whether htmx or our script asks for a piece of a page."""
    return request.headers.get("hx-request") == "true"


@cache
def static_url(name: str) -> str:
    """Address of a static file with a word of its content in it, so that browsers may keep it for long."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def _moment(value: str | datetime | None) -> str:
    """A time on the wall in China."""
    if not value:
        return "—"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


_environment.globals["static"] = static_url
_environment.filters["moment"] = _moment
