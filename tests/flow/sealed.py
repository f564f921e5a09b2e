"""A licence under the seal of a development PKI, and in the register."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

from docproc.assets.paths import font
from docproc.domain import Decision, Licence
from docproc.flow.core.context import Context, utc_now
from docproc.licence.devpki.pki import AUTHORITY, AUTHORITY_CODE
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.record import licence_json
from docproc.licence.page.render import render
from docproc.licence.seal.seal import seal
from docproc.store.applications import applications
from docproc.store.licences import licences

NUMBER = "JY29900990000015"


LICENCE = Licence(
    number=NUMBER,
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
    valid_to=None,
    fields=(("items", "经营项目", "热食类食品制售"),),
)
BARE = replace(LICENCE, fields=())
"""The same without a field of its own."""


def sealed(pki: DevPki, licence: Licence = LICENCE) -> bytes:
    """A licence under the seal of a PKI."""
    layout = load_layout("food_business")
    return seal(
        render(licence, layout),
        pki.signer(),
        pki.timestamper(utc_now),
        pki.seal_trust(),
        place=layout.seal,
        art=draw(AUTHORITY, font(), diameter=42.0),
        reason="签发",
        at=utc_now(),
    )


def register(ctx: Context, pki: DevPki, licence: Licence = LICENCE) -> str:
    """Seal and register a licence; returns the SHA-256 of its file."""
    digest, number = ctx.blobs.put(sealed(pki, licence)), licence.number
    with ctx.database.write() as session:
        application = applications.add_application(
            session, f"A-{number}", matter="food_licence", org="office", channel="kiosk", by="kiosk-1", at=utc_now()
        )
        decision = applications.add_decision(session, application, Decision("approve", "reviewer-1", utc_now()))
        body = json.loads(licence_json(licence))
        licences.add_licence(session, licence, decision=decision.id, application=application, code=number, body=body)
        licences.register_sealed(session, number, digest, utc_now())
    return digest
