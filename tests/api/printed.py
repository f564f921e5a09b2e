"""A service with two issued licences whose prints are photographed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import cv2
import numpy as np
from fastapi.testclient import TestClient

from docproc.assets.paths import font
from docproc.domain import Decision, Licence
from docproc.flow.core.context import utc_now
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.record import licence_json
from docproc.licence.page.render import render
from docproc.licence.seal.seal import seal
from docproc.scan.image.geometry import Image
from docproc.settings import Settings
from docproc.store.applications import applications
from docproc.store.licences import licences

CODE = "sample-code-that-is-long-enough-for-a-realistic-qr"[:22]


LICENCE = Licence(
    number="JY29900990000015",
    kind="food_business",
    matter="food_licence",
    version=1,
    application="A-1",
    title="食品经营许可证",
    holder="示例市样例餐饮店（样例）",
    authority=AUTHORITY,
    authority_code=AUTHORITY_CODE,
    issued_on=date(2026, 1, 1),
    valid_from=date(2026, 1, 1),
    valid_to=date(2099, 12, 31),
    fields=(
        ("uscc", "统一社会信用代码", "92990099MA00000000"),
        ("legal_rep", "法定代表人（负责人）", "样例甲"),
        ("place", "经营场所", "示例市示例区样例路100号一层101、102室"),
        ("items", "经营项目", "热食类食品制售；糕点类食品制售"),
    ),
    verify_url=f"http://127.0.0.1:8000/v/{CODE}",
    identifier="1.2.156.3005.2.sample",
)


OTHER = replace(
    LICENCE,
    number="JY29900990000023",
    application="A-2",
    holder="示例市另一样例食品店（样例）",
    fields=(*(row for row in LICENCE.fields if row[0] != "legal_rep"), ("legal_rep", "法定代表人（负责人）", "样例丁")),
    verify_url="http://127.0.0.1:8000/v/another-code-0123456789",
)


class Shop:
    """A service with two issued licences, and the client that asks it."""

    def __init__(self, client: TestClient, settings: Settings, pki: DevPki) -> None:
        self.client, self.settings, self.pki = client, settings, pki
        self.art = draw(AUTHORITY, font(), diameter=42.0)

    def sealed(self, licence: Licence) -> bytes:
        layout = load_layout(licence.kind)
        return seal(
            render(licence, layout),
            self.pki.signer(),
            self.pki.timestamper(utc_now),
            self.pki.seal_trust(),
            place=layout.seal,
            art=self.art,
            reason="签发",
            at=utc_now(),
        )

    def issue(self, licence: Licence) -> bytes:
        ctx, data = self.client.app.state.context, self.sealed(licence)  # type: ignore[attr-defined]
        with ctx.database.write() as session:
            application = applications.add_application(
                session, licence.application, matter=licence.matter, org="office", channel="kiosk", by="k", at=utc_now()
            )
            decision = applications.add_decision(session, application, Decision("approve", "reviewer-1", utc_now()))
            body, code = json.loads(licence_json(licence)), licence.verify_url.rsplit("/", 1)[-1]
            licences.add_licence(session, licence, decision=decision.id, application=application, code=code, body=body)
            licences.register_sealed(session, licence.number, ctx.blobs.put(data), utc_now())
        return data

    def ask_all(self, photos: Sequence[Image]) -> dict[str, Any]:
        sent = [("files", (f"{n}.jpg", jpeg(photo), "image/jpeg")) for n, photo in enumerate(photos)]
        answer = self.client.post("/v1/licences/verify/photo", files=sent)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def ask(self, photo: Image) -> dict[str, Any]:
        answer = self.client.post("/v1/licences/verify/photo", content=jpeg(photo))
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]


def jpeg(image: Image) -> bytes:
    return bytes(np.asarray(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]))
