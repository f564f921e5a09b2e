"""Thousands of damaged files: none is taken for what was issued or called intact, none raises or takes a second.

``DOCPROC_MUTANTS`` says how many (default 600, drawn from a seed; all four levels have the same share).
"""

from __future__ import annotations

import io
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import Register
from docproc.licence.seal.seal import LEVELS, Level
from docproc.licence.verify.revisions import StructureError, check_revision
from docproc.licence.verify.verify import verify
from tests.licence.book import Book

COUNT = int(os.environ.get("DOCPROC_MUTANTS", "600"))
SEED = int(os.environ.get("DOCPROC_MUTANTS_SEED", "20261125"))
DEAREST = 30
"""How often the processor time of a whole file a damaged one may take."""
KEYS = (b"/Type", b"/ByteRange", b"/Contents", b"/Prev", b"/Size", b"/Root", b"/Length", b"/Filter")
FRAME = (b"obj", b"endobj", b"stream", b"xref", b"trailer", b"startxref", b"%%EOF")
WORDS = (*KEYS, *FRAME, b"<<", b">>", b"[", b"]", b"0 R")


def flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 1, 3, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(1, len(data)) :]


def remove(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 2, 10, 500))]


def insert(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data) + 1)
    data[start:start] = rng.randbytes(rng.choice((1, 2, 10, 500)))


def repeat(data: bytearray, rng: random.Random) -> None:
    start, where = rng.randrange(len(data)), rng.randrange(len(data))
    data[where:where] = data[start : start + rng.randrange(1, 2000)]


def overwrite(data: bytearray, rng: random.Random) -> None:
    start, where, size = rng.randrange(len(data)), rng.randrange(len(data)), rng.randrange(1, 2000)
    data[where : where + size] = data[start : start + size]


def digits(data: bytearray, rng: random.Random) -> None:
    """Change a number: offsets, lengths, references, the byte range."""
    places = [place for place in range(len(data)) if 0x30 <= data[place] <= 0x39]
    data[rng.choice(places)] = rng.choice(b"0123456789")


def words(data: bytearray, rng: random.Random) -> None:
    """Put one keyword of PDF into the place of another."""
    found = [place for word in WORDS if (place := data.find(word, rng.randrange(len(data)))) >= 0]
    if found:
        place = rng.choice(found)
        data[place : place + 4] = rng.choice(WORDS)


def append(data: bytearray, rng: random.Random) -> None:
    data += rng.choice((rng.randbytes(50), b"\n", data[-1500:], b"\n1 0 obj\n<<>>\nendobj\n", b"%%EOF"))


def contents(data: bytearray, rng: random.Random) -> None:
    """Inside the gap that no byte range covers."""
    start = data.find(b"/Contents <", rng.choice((0, len(data) // 2)))
    start = data.find(b"/Contents <") if start < 0 else start
    place = start + 11 + rng.randrange(8000)
    data[min(place, len(data) - 1)] = rng.choice(b"0123456789abcdefABCDEF >/\n")


KINDS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip,
    cut,
    remove,
    insert,
    repeat,
    overwrite,
    digits,
    words,
    append,
    contents,
)


def mutants(original: bytes, count: int, seed: str) -> list[tuple[str, bytes]]:
    """Damaged files, each other than the original, and how each was made."""
    rng, made = random.Random(seed), []
    while len(made) < count:
        data, names = bytearray(original), []
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            kind = rng.choice(KINDS)
            kind(data, rng)
            names.append(kind.__name__)
            if not data:
                break
        if bytes(data) != original:
            made.append((f"{seed} #{len(made)} {'+'.join(names)}", bytes(data)))
    return made


def spent(original: bytes, trust: TrustList, at: datetime, register: Register) -> float:
    """Processor time of verifying a whole file, the least of three times."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        verify(original, trust, at, register)
        seconds.append(time.process_time() - start)
    return min(seconds)


@pytest.mark.parametrize("level", LEVELS)
def test_no_mutant_is_taken_for_what_was_issued(
    pki: DevPki, trust: TrustList, make_sealed: Callable[..., bytes], level: Level
) -> None:
    original = make_sealed(pki, level)
    register: Register = Book(original)
    at = datetime.now(UTC)
    # a file of a higher level cut off exactly behind its seal is a whole file of a lower one
    end = next(iter(PdfFileReader(io.BytesIO(original)).embedded_signatures)).byte_range
    sealed_part = original[: int(end[2]) + int(end[3])]
    assert verify(original, trust, at, register).issued == "as-issued"
    limit = DEAREST * spent(original, trust, at, register)
    wrong, slowest, seen = [], 0.0, Counter[str]()
    for name, data in mutants(original, COUNT // len(LEVELS), f"{SEED}-{level}"):
        start = time.process_time()
        online, offline = verify(data, trust, at, register), verify(data, trust, at)
        seconds = (time.process_time() - start) / 2
        slowest = max(slowest, seconds)
        seen[f"{offline.indication} {offline.integrity}"] += 1
        noticed = offline.integrity != "intact" or data == sealed_part
        if online.issued == "as-issued" or online.ok or offline.ok or not noticed or seconds > limit:
            wrong.append(f"{name}: {online.issued} {online.ok} {offline.ok} {offline.integrity} {seconds:.2f} s")
    print(f"{level}: {sum(seen.values())} mutants, slowest {slowest:.3f} s CPU, {dict(seen.most_common())}")
    assert not wrong, "\n".join(wrong[:20])


@pytest.fixture(scope="module")
def unstamped(pki: DevPki, make_sealed: Callable[..., bytes]) -> bytes:
    """A B-LT file, whose last revision no time-stamp covers."""
    return make_sealed(pki, "B-LT")


@pytest.mark.parametrize(("mark", "where"), [(b"0000000000 65535 f", 0), (b"/Size ", 6), (b"/ID [", 50)])
def test_a_changed_digit_of_bookkeeping_is_seen_without_a_time_stamp(
    unstamped: bytes, trust: TrustList, mark: bytes, where: int
) -> None:
    data = bytearray(unstamped)
    data[data.rindex(mark) + where] ^= 1
    report = verify(bytes(data), trust, datetime.now(UTC))
    assert (report.integrity, report.ok) == ("altered", False)


def test_the_table_and_trailer_behind_a_seal_have_one_spelling(unstamped: bytes) -> None:
    """Each byte of them, each of its low bits: the rule on revisions lets none change."""
    end = next(iter(PdfFileReader(io.BytesIO(unstamped)).embedded_signatures)).byte_range
    start = int(end[2]) + int(end[3])
    check_revision(unstamped, start, len(unstamped), None)
    for place in range(unstamped.rindex(b"\nxref\n"), len(unstamped)):
        data = bytearray(unstamped)
        data[place] ^= 1 << place % 7
        with pytest.raises((StructureError, PdfError, ValueError)):
            check_revision(bytes(data), start, len(data), None)
