"""A real PKI, a rendered licence and its seals, made once for all tests of this folder. All data are samples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from docproc.assets.paths import font
from docproc.domain import Licence
from docproc.licence.devpki.pki import (
    AUTHORITY,
    AUTHORITY_CODE,
    SEAL,
    issue,
    make_dev_pki,
    new_p256,
    seal_subject,
    write_p12,
)
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import SealArt, draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.seal import Level, seal


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def licence() -> Licence:
    return Licence(
        number="JY29900990000015",
        kind="food_business",
        matter="food_licence",
        version=1,
        application="A-1",
        title="食品经营许可证",
        holder="示例市样例餐饮店（样例）",
        authority=AUTHORITY,
        authority_code=AUTHORITY_CODE,
        issued_on=date(2020, 1, 1),
        valid_from=date(2020, 1, 1),
        valid_to=date(2099, 12, 31),
        fields=(
            ("uscc", "统一社会信用代码", "92990099MA00000000"),
            ("legal_rep", "法定代表人（负责人）", "样例甲"),
            ("place", "经营场所", "示例市示例区样例路100号一层101、102室"),
            ("items", "经营项目", "热食类食品制售；糕点类食品制售"),
        ),
        verify_url="https://licence.example/v/JY29900990000015",
        identifier="1.2.156.3005.2.sample",
    )


@pytest.fixture(scope="session")
def pdf(licence: Licence) -> bytes:
    return render(licence, load_layout("food_business"))


@pytest.fixture(scope="session")
def art() -> SealArt:
    return draw(AUTHORITY, font(), diameter=42.0)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevPki:
    folder = tmp_path_factory.mktemp("pki")
    make_dev_pki(folder, at=now())
    return DevPki(folder)


@pytest.fixture(scope="session")
def trust(pki: DevPki) -> TrustList:
    return pki.trust_list()


@pytest.fixture
def fresh_pki(tmp_path: Path) -> DevPki:
    """A PKI of its own for tests that revoke something."""
    make_dev_pki(tmp_path / "pki", at=now())
    return DevPki(tmp_path / "pki")


@pytest.fixture
def early_pki(fresh_pki: DevPki) -> DevPki:
    """A PKI of its own with one more seal, ``seal-early``, whose certificate begins in ten days."""
    ca, root = fresh_pki.issued("ca"), fresh_pki.issued("root")
    start = now() + timedelta(days=10)
    made = issue(ca, seal_subject(AUTHORITY, AUTHORITY_CODE), SEAL, start, fresh_pki.base_url, new_p256())
    chain = [ca.certificate, root.certificate]
    write_p12(fresh_pki.folder / "seal-early.p12", made, chain, fresh_pki.passphrase)
    return fresh_pki


@pytest.fixture(scope="session")
def make_sealed(pdf: bytes, art: SealArt) -> Callable[..., bytes]:
    """Seal the sample licence (or other bytes) with a PKI, at a level, with the seal of a name."""

    def make(pki: DevPki, level: Level = "B-LTA", name: str = "seal-rsa", data: bytes | None = None) -> bytes:
        return seal(
            data if data is not None else pdf,
            pki.signer(name),
            pki.timestamper(now),
            pki.seal_trust(),
            place=load_layout("food_business").seal,
            art=art,
            reason="签发",
            at=now(),
            level=level,
        )

    return make


@pytest.fixture(scope="session")
def sealed(pki: DevPki, make_sealed: Callable[..., bytes]) -> bytes:
    return make_sealed(pki)
