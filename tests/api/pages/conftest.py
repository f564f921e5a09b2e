"""Real Chromium on the real service: real reading, real sealing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from docproc.licence.devpki.pki import make_dev_pki
from tests.api.group import Group, group
from tests.servers.processes import find_program

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROOT = Path(__file__).parents[3]
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{ours}</dir><include ignore_missing="yes">/etc/fonts/fonts.conf</include><cachedir>{cache}</cachedir>
<alias binding="strong"><family>sans-serif</family><prefer><family>Noto Sans CJK SC</family></prefer></alias>
</fontconfig>
"""
"""Pages look the same wherever their pictures are made: by the font that licences and forms are printed in."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for each file: while Playwright runs, nothing else in its process can run asyncio, and verifying does."""
    chromium = find_program("chromium", "scripts/servers browser")
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        fonts = tmp_path_factory.mktemp("fonts")
        (fonts / "fonts.conf").write_text(FONTS.format(ours=ROOT / "models" / "fonts", cache=fonts), "utf-8")
        env = {**os.environ, "FONTCONFIG_FILE": str(fonts / "fonts.conf")}
        opened = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS, env=env)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("pages")
    make_dev_pki(folder / "certs", at=datetime.now(UTC))
    settings = {
        "DOCPROC_CERTS_DIR": str(folder / "certs"),
        "DOCPROC_TRUST_DIR": str(folder / "certs" / "trust"),
        "DOCPROC_RATE_LIMIT_PER_MINUTE": "5000",
        "DOCPROC_PARSE_SECONDS_PER_MINUTE": "5000",
    }
    with group(folder / "var", "docproc.flow.worker", **settings) as running:
        yield running
