"""Make, renew or verify a licence at the present moment of this process, whose clock a test has shifted.

``python -m tests.licence.at_another_time make|renew|verify PKI FILE [NEW]``; nothing here is told the time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from docproc.assets.paths import font
from docproc.domain import Licence
from docproc.errors import SealError
from docproc.licence.devpki.pki import (
    AUTHORITY,
    AUTHORITY_CODE,
    TSA,
    issue,
    make_dev_pki,
    new_p256,
    seal_subject,
    write_p12,
)
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.seal.renew import renew
from docproc.licence.seal.seal import seal
from docproc.licence.verify.verify import verify
from tests.licence.old_tsa import with_old_tsa

SECOND_LIFE = 14
"""Years of the second time-stamping certificate: it outlives 2043."""


def now() -> datetime:
    return datetime.now(UTC)


def make(folder: Path, file: Path) -> None:
    make_dev_pki(folder, at=now())
    pki, layout = DevPki(folder), load_layout("food_business")
    licence = Licence(
        number="JY29900990000015",
        kind="food_business",
        matter="food_licence",
        version=1,
        application="A-1",
        title="食品经营许可证",
        holder="示例市样例餐饮店（样例）",
        authority=AUTHORITY,
        authority_code=AUTHORITY_CODE,
        issued_on=now().date(),
        valid_from=date(2020, 1, 1),
        valid_to=None,
        fields=(("items", "经营项目", "热食"),),
    )
    drawn = draw(AUTHORITY, font(), diameter=42.0)
    signer, timestamper, trust = pki.signer(), pki.timestamper(now), pki.seal_trust()
    pdf = render(licence, layout)
    sealed = seal(pdf, signer, timestamper, trust, place=layout.seal, art=drawn, reason="签发", at=now())
    file.write_bytes(sealed)


def renewed(folder: Path, file: Path, new: Path) -> str:
    """Renew with a time-stamping certificate of a second generation; what was refused, if it was."""
    pki = DevPki(folder)
    ca, day = pki.issued("ca"), now() - timedelta(days=1)
    subject = seal_subject("示例时间戳服务机构二代（样例）", "-")
    item = issue(ca, subject, replace(TSA, years=SECOND_LIFE), day, pki.base_url, new_p256())
    write_p12(folder / "tsa.p12", item, [ca.certificate, pki.issued("root").certificate], pki.passphrase)
    data = file.read_bytes()
    try:
        new.write_bytes(renew(data, DevPki(folder).timestamper(now), with_old_tsa(DevPki(folder), data), at=now()))
    except SealError as error:
        return str(error)
    return ""


def main(what: str, folder: Path, file: Path, *more: str) -> None:
    told: dict[str, object] = {"year": now().year}
    if what == "make":
        make(folder, file)
    elif what == "renew":
        told["refused"] = renewed(folder, file, Path(more[0]))
    else:
        told |= verify(file.read_bytes(), DevPki(folder).trust_list(), now()).to_json()
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
