"""Whom a command trusts, which may run where there is no database; loads what speaks to one only where there is one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from docproc.flow.core.authority import own_code
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.trust_limits import Anchor
from docproc.settings import Settings

if TYPE_CHECKING:
    from docproc.store.tables.seals import RootBody


def trust_of(settings: Settings) -> TrustList:
    """The trust folder, and the roots of other departments that were recognised, where there is a database.

    Raises:
        SetupError: the trust folder is missing or wrong.
        UnavailableError: there is a database, but it is out of reach.
    """
    own = TrustList.from_folder(settings.trust_dir)
    if settings.has_database:
        own = with_recognised(own, _recognised(settings))
    return own.narrowed(own_code(settings))


def with_recognised(own: TrustList, found: Mapping[str, RootBody]) -> TrustList:
    """A trust folder's list with roots that were recognised, each by its SHA-256."""
    known = {item.sha256.hex() for item in own.roots} if found else set()
    bodies = [body for digest, body in found.items() if digest not in known]
    chains = [tuple(base64.b64decode(item) for item in body["certificates"]) for body in bodies]
    return own.recognising(chains, [Anchor.from_json(body["anchor"]) for body in bodies]) if bodies else own


def _recognised(settings: Settings) -> Mapping[str, RootBody]:
    from docproc.process_keys import ProcessKeys, known_keys
    from docproc.store.db import open_database
    from docproc.store.seals import trust_list

    database = open_database(settings.database, keys=ProcessKeys(known=known_keys(settings.keys_folder)))
    try:
        with database.read() as session:
            return trust_list.recognised(session)
    finally:
        database.close()
