"""The service's interface for programs, from its OpenAPI document: a page of our own, with no program in it.

It is under the same rules as every page: nothing from elsewhere, no script, no style of its own in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup, escape

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Public
from api.kit.render import page
from docproc.canonical import JsonObject

router = APIRouter(route_class=HeadFirst, dependencies=[Public])
_CODE = re.compile(r"`([^`]+)`")
_PARAGRAPHS = re.compile(r"\n(?:\n|\* )+")
"""Before an empty line or an item of a list."""
_MEANT = ("minimum", "maximum", "minLength", "maxLength", "pattern", "format")


@dataclass(frozen=True, slots=True)
class Named:
    """A parameter of a route, or a part of a shape."""

    name: str
    where: str
    """``path``, ``query`` or ``header``; empty for a part of a shape."""
    type: Markup
    needed: bool
    says: Markup


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers with a status."""

    status: str
    says: str
    type: Markup


@dataclass(frozen=True, slots=True)
class Call:
    """A method of a path."""

    method: str
    path: str
    anchor: str
    title: str
    says: Markup
    needs_key: bool
    parameters: tuple[Named, ...]
    bodies: tuple[tuple[str, Markup], ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that bodies and answers refer to."""

    name: str
    says: Markup
    parts: tuple[Named, ...]


@router.get("/docs")
def docs(request: Request) -> Response:
    """Every route with its parameters, bodies and answers."""
    document = request.app.openapi()
    groups: dict[str, list[Call]] = {}
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            groups.setdefault((call.get("tags") or ["other"])[0], []).append(_call(method.upper(), path, call))
    shapes = [_shape(name, item) for name, item in sorted(document["components"]["schemas"].items())]
    about = [text(words) for words in _PARAGRAPHS.split(document["info"]["description"].strip())]
    return page(
        request, "public/docs.html", groups=groups, shapes=shapes, about=about, version=document["info"]["version"]
    )


def text(words: str) -> Markup:
    """Words in which some stand between backticks."""
    return Markup(_CODE.sub(lambda found: f"<code>{found[1]}</code>", str(escape(words))))


def type_of(schema: JsonObject) -> Markup:
    """What a schema says, on one line; shapes are links to where they stand."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return Markup('<a href="#shape-{0}">{0}</a>').format(name)
    for key, between in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if key in schema:
            return Markup(between).join(type_of(item) for item in schema[key])
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return Markup(" | ").join(_code(item) for item in schema["enum"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return Markup("list of ") + type_of(schema.get("items", {}))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("object of ") + type_of(schema["additionalProperties"])
    meant = ", ".join(f"{name} {schema[name]}" for name in _MEANT if name in schema)
    return Markup("{} ({})").format(kind, meant) if meant else escape(kind)


def _code(value: Any) -> Markup:
    return Markup("<code>{}</code>").format(value)


def _call(method: str, path: str, call: JsonObject) -> Call:
    bodies = call.get("requestBody", {}).get("content", {})
    return Call(
        method,
        path,
        str(call["operationId"]),
        str(call.get("summary", "")),
        text(str(call.get("description", ""))),
        bool(call.get("security")),
        tuple(
            Named(
                item["name"],
                item["in"],
                type_of(item.get("schema", {})),
                bool(item.get("required")),
                text(item.get("description") or item.get("schema", {}).get("description", "")),
            )
            for item in call.get("parameters", ())
        ),
        tuple((kind, type_of(item.get("schema", {}))) for kind, item in bodies.items()),
        tuple(
            Answer(status, item.get("description", ""), _content(item.get("content", {})))
            for status, item in sorted(call.get("responses", {}).items())
        ),
    )


def _content(content: JsonObject) -> Markup:
    return Markup(", ").join(
        type_of(item["schema"]) if item.get("schema") else escape(kind) for kind, item in content.items()
    )


def _shape(name: str, schema: JsonObject) -> Shape:
    needed = schema.get("required", ())
    parts = tuple(
        Named(key, "", type_of(item), key in needed, text(item.get("description", "")))
        for key, item in schema.get("properties", {}).items()
    )
    return Shape(name, text(schema.get("description", "")), parts)
