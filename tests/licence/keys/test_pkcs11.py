"""Seals on a token: SoftHSM2 stands in for the hardware."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from pkcs11 import TokenFlag

from docproc.errors import SealError, SealPinError, SealUnavailableError, SetupError
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE, SEAL, issue, seal_subject, write_p12
from docproc.licence.devpki.responder import DevPki
from docproc.licence.keys.pkcs11 import open_pkcs11
from docproc.licence.page.art import SealArt
from docproc.licence.page.layout import load_layout
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.seal import seal
from docproc.licence.verify.verify import verify
from tests.servers.softhsm import PIN, TOKEN, find_module, store_certificate


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory, pki: DevPki) -> Iterator[Path]:
    """A token with the sample seals and an RSA-3072 one on it; SoftHSM reads its configuration once in each process."""
    library = find_module()
    large = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    start = now() - timedelta(hours=1)
    made = issue(pki.issued("ca"), seal_subject(AUTHORITY, AUTHORITY_CODE), SEAL, start, pki.base_url, large)
    chain = [pki.issued("ca").certificate, pki.issued("root").certificate]
    write_p12(pki.folder / "seal-rsa3072.p12", made, chain, pki.passphrase)
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    util = ["softhsm2-util", "--module", str(library)]
    new_token = ["--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", PIN]
    subprocess.run([*util, *new_token], check=True, capture_output=True)
    for number, name in enumerate(("seal-rsa", "seal-p256", "seal-rsa3072"), 1):
        key, certificate, _ = pkcs12.load_key_and_certificates(
            (pki.folder / f"{name}.p12").read_bytes(), pki.passphrase
        )
        assert key is not None and certificate is not None
        pem = folder / f"{name}.pem"
        pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        new_key = ["--import", str(pem), "--token", TOKEN, "--label", name, "--id", f"0{number}", "--pin", PIN]
        subprocess.run([*util, *new_key], check=True, capture_output=True)
        pem.unlink()
        store_certificate(library, name, bytes([number]), certificate.public_bytes(Encoding.DER))
    yield library
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.mark.parametrize("where", ["file", "token"])
@pytest.mark.parametrize("name", ["seal-rsa", "seal-p256", "seal-rsa3072"])
def test_a_token_seals_like_a_file(
    module: Path, name: str, where: str, pki: DevPki, trust: TrustList, pdf: bytes, art: SealArt
) -> None:
    on_token = where == "token"
    signer = open_pkcs11(module, TOKEN, name, PIN, chain=trust.intermediates) if on_token else pki.signer(name)
    try:
        for _ in range(2):
            data = seal(
                pdf,
                signer,
                pki.timestamper(now),
                pki.seal_trust(),
                place=load_layout("food_business").seal,
                art=art,
                reason="签发",
                at=now(),
            )
            report = verify(data, trust, now())
            assert report.ok, report
            assert report.signatures[0].level == "B-LTA"
    finally:
        signer.close()


def test_problems_with_the_token_are_named(module: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="driver"):
        open_pkcs11(tmp_path / "none.so", TOKEN, "seal-rsa", PIN)
    with pytest.raises(SealUnavailableError, match="PIN"):
        open_pkcs11(module, TOKEN, "seal-rsa", "000000")
    with pytest.raises(SealUnavailableError, match="nowhere"):
        open_pkcs11(module, "nowhere", "seal-rsa", PIN)
    with pytest.raises(SealError, match="0 certificates"):
        open_pkcs11(module, TOKEN, "seal-of-nobody", PIN)


def test_a_refused_pin_is_never_tried_again(module: Path) -> None:
    wrong = "246802"
    with pytest.raises(SealPinError, match="PIN") as refused:
        open_pkcs11(module, TOKEN, "seal-rsa", wrong)
    assert "口令" in refused.value.message_zh and "自动重试" not in refused.value.message_zh
    assert counts_wrong_pins(module)
    open_pkcs11(module, TOKEN, "seal-rsa", PIN).close()
    assert not counts_wrong_pins(module)
    with pytest.raises(SealPinError, match="PIN"):
        open_pkcs11(module, TOKEN, "seal-rsa", wrong)
    assert not counts_wrong_pins(module), "the token was not asked"


def counts_wrong_pins(module: Path) -> bool:
    """Whether the last PIN that the token was shown was a wrong one."""
    token = pkcs11.lib(str(module)).get_token(token_label=TOKEN)
    return TokenFlag.USER_PIN_COUNT_LOW in token.flags
