"""Time-stamps for the audit log and for licences that wear out, from the TSA that also serves the seal."""

from __future__ import annotations

from datetime import datetime

from docproc.flow.core.context import utc_now
from docproc.flow.core.development import refuse_development
from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.timestamp_token import make_token
from docproc.licence.pki.tsa import HttpTimeStamper, TimeStamper
from docproc.settings import Settings


def stamp(settings: Settings, digest: bytes) -> bytes:
    """A token over a SHA-256 digest.

    Raises:
        SealUnavailableError: the TSA is out of reach.
        SetupError: there is no TSA in the settings, and no development PKI that may be used instead.
    """
    refuse_development(settings)
    own = not settings.tsa_url
    tsa: TimeStamper = DevPki(settings.certs_dir).timestamper(utc_now) if own else HttpTimeStamper(settings.tsa_url)
    return make_token(digest, tsa)


def renew_file(settings: Settings, pdf: bytes, at: datetime) -> bytes:
    """A file with a fresh archive time-stamp; raises as :func:`docproc.licence.seal.renew.renew`."""
    from docproc.flow.seals.sealer import open_renewer

    return open_renewer(settings)(pdf, at)
