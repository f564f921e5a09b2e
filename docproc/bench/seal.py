"""Measure the cost of a seal: our sealing at each level, stock pyHanko on the same file, and the key operation alone.

CPU time of this process on one core, with its own PKI: time-stamps and revocation information are made in the
process, so no network is measured. Both seal the same rendered licence with the same RSA-2048 key.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

from docproc.assets.paths import font
from docproc.bench.machine import machine
from docproc.bench.stock_seal import stock_sealer
from docproc.domain import Licence
from docproc.errors import SetupError
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.seal.seal import LEVELS, Level, seal

_SPEED = {"rsa2048": re.compile(r"^rsa\s+2048 bits.*", re.M), "p256": re.compile(r"^.*256 bits ecdsa.*", re.M)}


def run(times: int = 20, seconds: int = 1) -> dict[str, Any]:
    """Measure the cost of seals and return the figures as JSON values.

    Args:
        times: seals for each figure; the median counts.
        seconds: how long openssl is run for each key.

    Raises:
        SetupError: fonts or openssl are missing.
    """
    logging.getLogger("pyhanko").setLevel(logging.ERROR)  # stock pyHanko warns at each seal made without a network
    with tempfile.TemporaryDirectory(prefix="docproc-bench-") as name:
        folder = Path(name)
        make_dev_pki(folder, at=_now())
        pki = DevPki(folder)
        pdf = render(sample_licence(), load_layout("food_business"))
        profiles = {level: _figure(_ours(pki, pdf, level), times) for level in LEVELS}
        stock = {level: _figure(_stock(pki, pdf, level), times) for level in LEVELS}
    return {"profiles": profiles, "stock": stock, "openssl": _openssl(seconds), "machine": machine()}


def _ours(pki: DevPki, pdf: bytes, level: Level) -> Callable[[], object]:
    layout = load_layout("food_business")
    art = draw(AUTHORITY, font(), diameter=layout.seal.diameter)
    signer, timestamper, trust = pki.signer(), pki.timestamper(_now), pki.seal_trust()
    return lambda: seal(
        pdf, signer, timestamper, trust, place=layout.seal, art=art, reason="签发", at=_now(), level=level
    )


def _stock(pki: DevPki, pdf: bytes, level: Level) -> Callable[[], object]:
    sealer = stock_sealer(pki, pdf, level)
    return lambda: asyncio.run(sealer())


def _figure(work: Callable[[], object], times: int) -> dict[str, float]:
    work()  # certificates and templates are parsed once in a process
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    middle = median(taken)
    return {"cpu_ms": round(middle * 1000, 2), "per_second_core": round(1 / middle, 1)}


def _openssl(seconds: int) -> dict[str, float]:
    """Signatures per second on one core by ``openssl speed``."""
    program = shutil.which("openssl")
    if program is None:
        raise SetupError("openssl is missing: install the package openssl")
    command = [program, "speed", "-seconds", str(seconds), "rsa2048", "ecdsap256"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for name, pattern in _SPEED.items():
        line = pattern.search(told)
        if line is None:
            raise SetupError(f"openssl speed says nothing of {name}: {told[-200:]}")
        figures = [part for part in line[0].split() if re.fullmatch(r"[\d.]+", part)]
        found[name] = float(figures[-2])  # the last two columns: signatures and verifications a second
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def sample_licence() -> Licence:
    """A licence about nobody, to be sealed in a measurement."""
    return Licence(
        number="JY29900990000015",
        kind="food_business",
        matter="food_licence",
        version=1,
        application="SAMPLE-0001",
        title="食品经营许可证",
        holder="示例市样例餐饮店（样例）",
        authority=AUTHORITY,
        authority_code=AUTHORITY_CODE,
        issued_on=date(2026, 1, 1),
        valid_from=date(2026, 1, 1),
        valid_to=date(2030, 12, 31),
        fields=(("uscc", "统一社会信用代码", "92990099MA00000000"), ("place", "经营场所", "示例市示例区样例路100号")),
        verify_url="https://licence.example/v/JY29900990000015",
    )
