"""What one layer gives to the next says its shape, and the interface describes the shape that it gets."""

from __future__ import annotations

import ast
import dataclasses
import types
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import create_app
from docproc.flow.core.dual_control import ChangeView
from docproc.settings import Settings

ROOT = Path(__file__).parents[1]
MOST_UNTYPED_OBJECTS = 40
MOST_EXCEPTIONS = 20
"""From the type checker: libraries without types leave a few."""


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, path.read_text("utf-8")


def test_json_objects_say_their_keys() -> None:
    places = [str(path.relative_to(ROOT)) for path, text in sources("docproc", "api") for _ in found(text, UNTYPED)]
    assert len(places) <= MOST_UNTYPED_OBJECTS, places


def test_the_type_checker_is_seldom_told_to_look_away() -> None:
    places = [str(path.relative_to(ROOT)) for path, text in sources("docproc", "api") for _ in found(text, LOOK_AWAY)]
    assert len(places) <= MOST_EXCEPTIONS, places


def test_every_function_of_the_interface_says_what_it_gives() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, text in sources("api")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and isinstance(node.returns, ast.Name)
        and node.returns.id == "Any"
    ]
    assert not places


UNTYPED, LOOK_AWAY = "dict[str, " + "Any]", "# type: " + "ignore"


def found(text: str, word: str) -> range:
    return range(text.count(word))


def promised() -> list[tuple[str, Any, Any]]:
    """Method and path of every route with a described answer, what its function gives, and what is described."""
    return [
        (f"{min(route.methods)} {route.path}", get_type_hints(route.endpoint)["return"], route.response_model)
        for route in walk(create_app(Settings()).routes)
        if route.response_model is not None
    ]


def walk(routes: Sequence[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes)


PROMISED = promised()


def test_many_routes_are_looked_at() -> None:
    assert sum(is_typeddict(element(given)) for _, given, _ in PROMISED) > 40


@pytest.mark.parametrize(("route", "given", "model"), PROMISED, ids=[name for name, _, _ in PROMISED])
def test_an_answer_has_the_fields_that_are_described(route: str, given: Any, model: Any) -> None:
    assert list(differences(given, model, "answer")) == []


def element(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is list else kind


def differences(given: Any, model: Any, place: str) -> Iterator[str]:
    """Where a type of ours is not what a model describes; moments and days are text before they are described."""
    given, model = plain(given), plain(model)
    if (
        given == model or given is ChangeView
    ):  # what is common to all changes; each kind is compared where it is proposed
        return
    if isinstance(model, type) and issubclass(model, BaseModel):
        yield from differing_fields(given, model, place)
    elif is_union(model) or is_union(given):
        yield from differing_unions(given, model, place)
    elif get_origin(model) is Literal:
        if get_origin(given) is not Literal or set(get_args(given)) != set(get_args(model)):
            yield f"{place}: {given} is described as {model}"
    elif get_origin(model) in (list, tuple):
        if get_origin(given) not in (list, tuple, Sequence):
            yield f"{place}: {given} is described as {model}"
        else:
            yield from differences(get_args(given)[0], get_args(model)[0], f"{place}[]")
    elif model in (date, datetime):
        if given not in (str, model):
            yield f"{place}: {given} is described as {model}"
    elif not (model is str and get_origin(given) is Literal):
        yield f"{place}: {given} is described as {model}"


def differing_fields(given: Any, model: type[BaseModel], place: str) -> Iterator[str]:
    if dataclasses.is_dataclass(given):
        hints, optional = get_type_hints(given), frozenset[str]()
        hints = {name: hints[name] for name in model.model_fields if name in hints}
    elif is_typeddict(given):
        hints, optional = get_type_hints(given), given.__optional_keys__
    else:
        yield f"{place}: {given} is described as {model.__name__}"
        return
    if set(hints) != set(model.model_fields):
        yield f"{place}: {sorted(set(hints) ^ set(model.model_fields))} on one side only"
        return
    for name, field in model.model_fields.items():
        if name in optional and field.is_required():
            yield f"{place}.{name}: may be missing, and is described as there"
        yield from differences(hints[name], field.annotation, f"{place}.{name}")


def differing_unions(given: Any, model: Any, place: str) -> Iterator[str]:
    ours, theirs = members(given), members(model)
    if type(None) in ours and type(None) not in theirs:
        yield f"{place}: may be null, and is described as there"
    ours, theirs = ours - {type(None)}, theirs - {type(None)}
    texts = [item for item in ours if get_origin(item) is Literal]
    if texts and len(texts) == len(ours):
        ours = {Literal[tuple(value for item in texts for value in get_args(item))]}  # type: ignore[valid-type]
    if len(ours) == len(theirs) == 1:
        yield from differences(ours.pop(), theirs.pop(), place)
    elif ours or theirs:
        yield f"{place}: {given} is described as {model}"


def members(kind: Any) -> set[Any]:
    return set(get_args(kind)) if is_union(kind) else {kind}


def is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def plain(kind: Any) -> Any:
    while get_origin(kind) in (Annotated, NotRequired):
        kind = get_args(kind)[0]
    return kind
