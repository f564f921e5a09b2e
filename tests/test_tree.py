"""The tree is its own map: first the layer, then the noun, in folders that can be taken in at a glance."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST = 15
LISTS = {"docproc/store/migrations/versions"}
"""Folders in which the modules are entries of one long list."""
UNNAMED = {"jobs", "core", "tables", "migrations"}
"""Folders of store and flow that all nouns share."""
OTHER_TESTS = {"tests/api", "tests/distributed", "tests/judges", "tests/samples", "tests/security", "tests/servers"}
"""Tests of more than one layer, and what tests run on."""


def folders(*parts: str) -> set[str]:
    """Names of the packages directly inside a folder."""
    return {path.parent.name for path in ROOT.joinpath(*parts).glob("*/__init__.py")}


def modules(*parts: str) -> set[str]:
    """Names of the modules directly inside a folder."""
    return {path.stem for path in ROOT.joinpath(*parts).glob("*.py")} - {"__init__"}


def test_no_folder_holds_more_modules_than_can_be_taken_in_at_a_glance() -> None:
    packages = {path.parent for top in ("docproc", "api") for path in ROOT.joinpath(top).rglob("*.py")}
    assert len(packages) > 50
    named = {str(path.relative_to(ROOT)): len(modules(str(path.relative_to(ROOT)))) for path in packages}
    assert not {name: count for name, count in named.items() if count > MOST and name not in LISTS}


def test_a_noun_has_the_same_name_in_every_layer() -> None:
    stored, flowing = folders("docproc", "store") - UNNAMED, folders("docproc", "flow") - UNNAMED
    assert stored and stored == flowing
    assert flowing == (folders("api", "v1") | modules("api", "v1")) - {"schemas", "dual_control"}


@pytest.mark.parametrize(
    "layer", ["docproc", *(f"docproc/{name}" for name in ("scan", "read", "licence", "store", "flow"))]
)
def test_tests_mirror_the_tree(layer: str) -> None:
    mirror = ROOT / layer.replace("docproc", "tests", 1)
    tested = {str(path.parent.relative_to(ROOT)) for path in mirror.glob("*/test_*.py")} - OTHER_TESTS
    assert tested
    assert not {name for name in tested if not (ROOT / name.replace("tests", "docproc", 1)).is_dir()}
