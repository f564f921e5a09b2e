"""Matter files that are sent in to break what reads them: each gets a reason, at once."""

from __future__ import annotations

import random
import time
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest

from docproc.errors import CatalogueError, DocprocError, InputError, LimitError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.matters.bundles import unpack
from docproc.flow.matters.catalogue import examine
from docproc.matter.load import MATTERS_DIR
from docproc.matter.toml_text import parse_toml

ADMIN = Caller("k", "admin-1", "office", frozenset({"admin"}))
GOOD = (MATTERS_DIR / "sole_trader.toml").read_bytes()


def zipped(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", how) as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return made.getvalue()


def corrupt_deflate() -> bytes:
    data = bytearray(zipped({"sole_trader.toml": GOOD}))
    start = 30 + len("sole_trader.toml")
    data[start : start + 40] = b"\xff" * 40
    return bytes(data)


def name_not_in_its_encoding() -> bytes:
    data = zipped({"sole_träder.toml": GOOD})
    return data.replace("ä".encode(), b"\xff\xfe")


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2] + data[-60:]


ZIPS = {
    "corrupt deflate": corrupt_deflate(),
    "a name not in its encoding": name_not_in_its_encoding(),
    "cut": cut(zipped({"sole_trader.toml": GOOD})),
    "packed by lzma": zipped({"sole_trader.toml": GOOD}, zipfile.ZIP_LZMA),
    "packed by bzip2": zipped({"sole_trader.toml": GOOD}, zipfile.ZIP_BZIP2),
    "empty": b"",
    "no zip": b"PK\x05\x06" + bytes(18),
}
TEXTS = {
    "deep lists": "x = " + "[" * 50_000,
    "deep lists that end": "x = " + "[" * 90 + "]" * 90,
    "deep tables": "x = " + "{a = " * 20_000,
    "a key of many parts": ".".join(["a"] * 100_000) + " = 1",
    "a key of many quoted parts": ".".join(['"a"'] * 60_000) + " = 1",
    "a table of many parts": "[" + ".".join(["a"] * 100_000) + "]",
    "a key of many parts within": "x = {" + ".".join(["a"] * 50_000) + " = 1}",
    "a number of many digits": "x = " + "9" * 100_000,
    "a large number": "x = 1" + "0" * 23,
    "no number": "x = nan",
    "an endless number": "x = inf",
    "a null": 'x = "\\u0000"',
    "a null in a key": '"\\u0000" = 1',
    "huge": "# " + "x" * 300_000,
    "a long word": "x" * 250_000,
    "dots": "a." * 100_000,
    "quotes": '"' * 250_000,
    "an impossible date": "x = 2026-02-30",
    "a date with an odd offset": "x = 0001-01-01T00:00:00+23:59",
    "half a pair": 'x = "\\ud800"',
    "cut": 'x = "',
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_damaged_zip_is_told_as_such(name: str) -> None:
    with pytest.raises(InputError):
        unpack([("sent.zip", ZIPS[name])])


def test_any_damage_to_a_zip_is_told_or_harmless() -> None:
    rng, whole = random.Random(20261201), zipped({"sole_trader.toml": GOOD, "layouts/a.toml": b"x = 1"})
    refused = 0
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            unpack([("sent.zip", bytes(data[: rng.randint(1, len(data))] if rng.random() < 0.2 else data))])
        except (InputError, LimitError):
            refused += 1
    assert refused > 500


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_nobody_can_work_with_is_told_in_its_line_and_soon(name: str) -> None:
    begun = time.process_time()
    if name == "a date with an odd offset":
        assert parse_toml("x.toml", TEXTS[name])  # a date: what takes it says whether it fits
        return
    with pytest.raises(CatalogueError) as told:
        parse_toml("x.toml", TEXTS[name])
    assert told.value.line >= 1 and len(str(told.value)) < 1000
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("name", TEXTS)
def test_the_service_answers_whatever_stands_in_a_file(ctx: Context, name: str) -> None:
    for text in (f'id = "sole_trader"\n{TEXTS[name]}', GOOD.decode() + "\n" + TEXTS[name]):
        with pytest.raises(DocprocError):
            examine(ctx, ADMIN, [("sole_trader.toml", text.encode())], ctx.today())
        with pytest.raises(DocprocError):
            examine(ctx, ADMIN, [("layouts/food.toml", TEXTS[name].encode())], ctx.today())


def test_any_change_to_a_good_file_is_told_or_harmless(ctx: Context) -> None:
    """Each value replaced by one of another kind, or far out."""
    rng, lines = random.Random(20261201), GOOD.decode().splitlines()
    values = ("0", "-1", "1000000000", "1e9", "''", "'x'", "[]", "{}", "true", "0001-01-01", "9999-12-31")
    places = [n for n, line in enumerate(lines) if " = " in line]
    for _ in range(60):
        changed = list(lines)
        place = rng.choice(places)
        changed[place] = f"{changed[place].split(' = ')[0]} = {rng.choice(values)}"
        begun = time.process_time()
        with suppress(DocprocError):
            examine(ctx, ADMIN, [("sole_trader.toml", "\n".join(changed).encode())], ctx.today())
        assert time.process_time() - begun < 20, changed[place]


def test_what_ships_is_within_the_limits() -> None:
    for path in MATTERS_DIR.glob("*.toml"):
        assert parse_toml(path.name, path.read_text("utf-8"))
