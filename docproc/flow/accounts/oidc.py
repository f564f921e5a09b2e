"""Signing in at an OpenID Connect provider: discovery, code flow with PKCE, nonce and state, the ID token's claims.

Sources: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (``iss`` in the answer), RFC 9700. What
an official may do comes from their groups by the mapping in the settings; who is in none of them is not let in, and
second factors are the provider's affair (:attr:`docproc.settings.Settings.oidc_acr` says which ways are enough).
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from docproc.canonical import JsonObject
from docproc.errors import SetupError, UnavailableError
from docproc.flow.core.access import ROLES
from docproc.flow.core.context import Context
from docproc.settings import Settings
from docproc.store.accounts import users

LASTS = timedelta(minutes=10)
"""Time to sign in at the provider."""
KNOWN_SECONDS = 3600.0
"""How long the provider's description and keys are believed."""
TIMEOUT_SECONDS = 10.0
LEEWAY_SECONDS = 60
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures with a public key only: a shared secret or ``none`` proves nothing."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
CALLBACK = "/office/oidc/callback"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a group may do."""

    role: str
    org: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of somebody."""

    issuer: str
    subject: str
    name: str
    title: str
    groups: frozenset[str]


@dataclass(slots=True)
class _Known:
    """A provider's description and keys, and until when they are believed."""

    until: float
    about: JsonObject
    keys: KeySet


class RefusedError(Exception):
    """The provider, or what came back from it, does not prove who somebody is; the reason is for the log."""


_known: dict[str, _Known] = {}
_lock = Lock()


@cache
def grants(text: str) -> dict[str, Grant]:
    """What each group may do, from ``GROUP=ROLE@ORGANISATION,…``.

    Raises:
        SetupError: an entry has another shape, or names no role of officials.
    """
    found: dict[str, Grant] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        group, _, grant = part.rpartition("=")
        role, _, org = grant.partition("@")
        if not group or not org or role not in ROLES or role in ("kiosk", "enterprise"):
            raise SetupError(f"DOCPROC_OIDC_ROLES: {part!r} is not GROUP=ROLE@ORGANISATION with a role of officials")
        if group in found:
            raise SetupError(f"DOCPROC_OIDC_ROLES: group {group!r} occurs twice")
        found[group] = Grant(role, org)
    return found


def check(settings: Settings) -> None:
    """Report wrong settings at the start and not at the first sign-in.

    Raises:
        SetupError: a setting is missing or wrong.
    """
    if not settings.oidc_issuer:
        return
    _secure(settings.oidc_issuer)
    if not settings.oidc_client_id or not grants(settings.oidc_roles):
        raise SetupError("OpenID Connect needs DOCPROC_OIDC_CLIENT_ID and DOCPROC_OIDC_ROLES")
    if "openid" not in settings.oidc_scope.split():
        raise SetupError("DOCPROC_OIDC_SCOPE must have the word openid")


def begin(ctx: Context) -> tuple[str, str]:
    """Where to send the visitor, and the word that their browser keeps until they come back.

    Raises:
        UnavailableError: the provider is out of reach.
    """
    settings, at = ctx.settings, ctx.clock()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    about = _provider(settings).about
    with _client(settings) as client:
        more = {"acr_values": settings.oidc_acr.replace(",", " ")} if settings.oidc_acr else {}
        url, _ = client.create_authorization_url(
            about["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce, **more
        )
    with ctx.database.write() as session:
        users.add_login(session, state, nonce, verifier, at=at, expires_at=at + LASTS)
    return str(url), state


def finish(ctx: Context, kept: str, given: dict[str, str]) -> Claims:
    """Who came back from the provider.

    Args:
        ctx: the service.
        kept: the word that the browser kept.
        given: parameters of the address that the provider sent them back to.

    Raises:
        RefusedError: it is not proven who they are.
        UnavailableError: the provider is out of reach.
    """
    settings = ctx.settings
    state = given.get("state", "")
    if not kept or not secrets.compare_digest(kept.encode(), state.encode()):
        raise RefusedError("state is not the browser's")
    with ctx.database.write() as session:
        login = users.take_login(session, state, ctx.clock())
        if login is None:
            raise RefusedError("state is unknown, over or was used before")
        nonce, verifier = login
    if given.get("iss", settings.oidc_issuer) != settings.oidc_issuer:
        raise RefusedError("answered by another provider")
    if given.get("error") or not given.get("code"):
        raise RefusedError(f"the provider refused: {given.get('error', 'no code')[:80]}")
    token = _exchange(settings, given["code"], verifier)
    return _claims(settings, token, nonce, ctx.clock().timestamp())


def _exchange(settings: Settings, code: str, verifier: str) -> JsonObject:
    """The code for tokens, over the back channel."""
    try:
        with _client(settings) as client:
            address = _provider(settings).about["token_endpoint"]
            return dict(client.fetch_token(address, grant_type="authorization_code", code=code, code_verifier=verifier))
    except AuthlibBaseError as error:
        raise RefusedError(f"the code was not taken: {error.error}") from error
    except (httpx2.HTTPError, ValueError) as error:
        raise UnavailableError(f"the token endpoint does not serve: {type(error).__name__}") from error


def _claims(settings: Settings, token: JsonObject, nonce: str, now: float) -> Claims:
    """Check the ID token (Core 1.0, 3.1.3.7) and take out what is needed."""
    options: JsonObject = {
        "iss": {"essential": True, "value": settings.oidc_issuer},
        "aud": {"essential": True, "value": settings.oidc_client_id},
    }
    if settings.oidc_acr:
        options["acr"] = {"essential": True, "values": settings.oidc_acr.split(",")}
    params = {"nonce": nonce, "client_id": settings.oidc_client_id, "access_token": token.get("access_token")}
    try:
        read = _decode(settings, str(token.get("id_token", "")))
        claims = CodeIDToken(read.claims, read.header, options, params)
        claims.validate(now=int(now), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError) as error:
        raise RefusedError(f"ID token: {type(error).__name__}: {error}") from error
    groups = _inside(claims, settings.oidc_claim)
    listed = groups if isinstance(groups, list) else [groups] if isinstance(groups, str) else []
    subject = str(claims["sub"])
    name = str(claims.get("preferred_username") or subject)
    return Claims(settings.oidc_issuer, subject, name, str(claims.get("name") or name), frozenset(map(str, listed)))


def _decode(settings: Settings, text: str) -> jwt.Token:
    """Read a signed token; a key that is not known makes the provider's keys be read again, once."""
    try:
        return jwt.decode(text, _provider(settings).keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError):
        return jwt.decode(text, _provider(settings, fresh=True).keys, algorithms=ALGORITHMS)


def _provider(settings: Settings, *, fresh: bool = False) -> _Known:
    """The provider's description and keys."""
    issuer, now = settings.oidc_issuer, time.monotonic()
    with _lock:
        known = _known.get(issuer)
        if known is None or known.until < now or (fresh and known.until - now < KNOWN_SECONDS - 60):
            known = _known[issuer] = _read_provider(issuer, now)
        return known


def _read_provider(issuer: str, now: float) -> _Known:
    try:
        with httpx2.Client(timeout=TIMEOUT_SECONDS) as client:
            told = client.get(get_well_known_url(issuer, external=True)).raise_for_status().json()
            about = OpenIDProviderMetadata(told)
            if about.get("issuer") != issuer:
                raise ValueError(f"it calls itself {about.get('issuer')!r}")
            for key in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _secure(str(about.get(key)))
            keys = KeySet.import_key_set(client.get(about["jwks_uri"]).raise_for_status().json())
    except (httpx2.HTTPError, JoseError, ValueError, SetupError) as error:
        raise UnavailableError(f"OpenID Connect provider {issuer}: {error}") from error
    return _Known(now + KNOWN_SECONDS, dict(about), keys)


def _client(settings: Settings) -> OAuth2Client:
    secret = settings.oidc_client_secret.get_secret_value()
    return OAuth2Client(
        settings.oidc_client_id,
        secret or None,
        scope=settings.oidc_scope,
        code_challenge_method="S256",
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
        timeout=TIMEOUT_SECONDS,
    )


def _secure(address: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
        raise SetupError(f"OpenID Connect: {address!r} is not an https address")


def _inside(claims: JsonObject, path: str) -> Any:
    """The claim at a path such as ``realm_access.roles``; a claim whose own name has dots is found too."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found
