"""Keys of the service's processes: what one process signs, another can trust without believing the database.

Each role has an Ed25519 key (RFC 8032). Its private half lies in one file that the processes of that role alone can
read; the public halves are pinned in files beside it, ``ID.pub``, and never in the database. A key's id is its role and
the beginning of a SHA-256 over role and public half, so that no public key can take another id or role. Several public
keys of a role are known at once, so that a key can be replaced while what it signed stays good.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from docproc.canonical import JsonObject, canonical_json
from docproc.errors import DocprocError, SetupError
from docproc.private_file import create_private, write_private
from docproc.secret_keys import HOLDERS, NO_SECRETS, PURPOSES, SecretKeys, ensure_ring, file_name, take_in

KeyRole = Literal["web", "sealer", "reader"]
"""``web`` signs what people do, ``sealer`` and ``reader`` what those workers do themselves."""
ROLES: tuple[KeyRole, ...] = get_args(KeyRole)


class SignatureError(DocprocError):
    """A statement is not signed, or not by a key that is known for it."""

    code = "not_signed"
    message_zh = "记录的数字签名无效，请联系管理员"


@dataclass(frozen=True, slots=True)
class ProcessKey:
    """The key of this process."""

    role: KeyRole
    id: str
    private: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """Public keys by id."""

    keys: Mapping[str, Ed25519PublicKey] = field(default_factory=dict)

    def of_role(self, role: KeyRole) -> tuple[str, ...]:
        """Ids of the keys of a role."""
        return tuple(key_id for key_id in sorted(self.keys) if role_of(key_id) == role)


@dataclass(frozen=True, slots=True)
class ProcessKeys:
    """What a process signs with, and whom it trusts."""

    own: ProcessKey | None = None
    """``None``: it signs nothing."""
    known: KnownKeys = field(default_factory=KnownKeys)
    folder: Path | None = None
    """Where the keys lie; ``None`` without keys."""
    secrets: SecretKeys = NO_SECRETS
    """What it locks secrets in the database with."""


NO_KEYS = ProcessKeys()


def role_of(key_id: str) -> str:
    """The role that a key's id names."""
    return key_id.partition("-")[0]


def make_key(folder: Path, role: KeyRole) -> ProcessKey:
    """Make a role's key: the private half in ``ROLE.key`` for its owner alone, the public half in ``ID.pub``.

    Raises:
        FileExistsError: there is one already.
        SetupError: the folder cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(folder / f"{role}.key", _pem(private))
    except FileExistsError:
        raise
    except OSError as error:
        raise SetupError(f"process keys cannot be made in {folder}: {error.strerror}") from error
    key = ProcessKey(role, _id_of(role, private.public_key()), private)
    write_public(folder, key)
    return key


def ensure_key(folder: Path, role: KeyRole) -> ProcessKey:
    """The key of a role, made where there is none; raises as :func:`make_key` and :func:`load_key`."""
    try:
        return make_key(folder, role)
    except FileExistsError:
        key = load_key(folder, role)
        if not (folder / f"{key.id}.pub").exists():  # its maker was cut short
            write_public(folder, key)
        return key


def ensure_all(folder: Path) -> None:
    """The keys of all roles, and those for secrets, in one folder; made where there are none.

    For a service whose processes share a folder. Raises as :func:`make_key`.
    """
    for role in ROLES:
        ensure_key(folder, role)
    for purpose in PURPOSES:
        ensure_ring(folder, purpose)


def load_key(folder: Path, role: KeyRole) -> ProcessKey:
    """The private key of a role.

    Raises:
        SetupError: it is not there, not readable or no Ed25519 key.
    """
    path = folder / f"{role}.key"
    remedy = f"give this process the {role} key in DOCPROC_PROCESS_KEYS, or make one: `docproc process-key make {role}`"
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise SetupError(f"process key {path} cannot be read: {error.strerror}; {remedy}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SetupError(f"process key {path} is damaged; {remedy}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SetupError(f"process key {path} is no Ed25519 key; {remedy}")
    return ProcessKey(role, _id_of(role, private.public_key()), private)


def find_key(folder: Path, role: KeyRole) -> ProcessKey | None:
    """The same, or ``None`` where this process has none or may not read it."""
    return load_key(folder, role) if os.access(folder / f"{role}.key", os.R_OK) else None


def write_public(folder: Path, key: ProcessKey) -> Path:
    """Pin a key's public half in a folder; returns the file."""
    path = folder / f"{key.id}.pub"
    data = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(data)
    return path


def deal_keys(folder: Path) -> list[ProcessKey]:
    """A folder for each role below a folder: its own key in it, and the public halves of all; what is there stays.

    So are the keys for secrets dealt, to the roles that work with them.

    Raises:
        SetupError: a folder cannot be written, or a key in it is damaged.
    """
    made = [ensure_key(folder / role, role) for role in ROLES]
    public = {path.name: path.read_bytes() for role in ROLES for path in (folder / role).glob("*.pub")}
    for role in ROLES:
        for name, data in public.items():
            if not (folder / role / name).exists():
                (folder / role / name).write_bytes(data)
    for purpose in PURPOSES:
        first, *others = (folder / role for role in HOLDERS[purpose])
        ensure_ring(first, purpose)
        for other in others:
            take_in(other, purpose, (first / file_name(purpose)).read_bytes())
    return made


def rotate_key(folder: Path, role: KeyRole) -> ProcessKey:
    """Put a new key in the place of a role's key; the public half of the old one stays, so what it signed stays good.

    Raises:
        SetupError: there is no key of this role, or the folder cannot be written.
    """
    load_key(folder, role)
    private = Ed25519PrivateKey.generate()
    key = ProcessKey(role, _id_of(role, private.public_key()), private)
    try:
        write_public(folder, key)
        write_private(folder / f"{role}.key", _pem(private))
    except OSError as error:
        raise SetupError(f"process keys cannot be made in {folder}: {error.strerror}") from error
    return key


def _pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def known_keys(folder: Path) -> KnownKeys:
    """All public keys that are pinned in a folder; none where there is no folder.

    Raises:
        SetupError: a file is damaged, or holds another key than its name says.
    """
    found: dict[str, Ed25519PublicKey] = {}
    for path in sorted(folder.glob("*.pub")):
        role = next((item for item in ROLES if item == role_of(path.stem)), None)
        try:
            public = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            raise SetupError(f"public key {path} cannot be read: restore it or take it away") from error
        if role is None or not isinstance(public, Ed25519PublicKey) or _id_of(role, public) != path.stem:
            raise SetupError(f"public key {path} is not the key that its name says: restore it or take it away")
        found[path.stem] = public
    return KnownKeys(MappingProxyType(found))


def sign(key: ProcessKey, kind: str, statement: JsonObject) -> str:
    """Sign a statement of a kind; returns the key's id and the signature."""
    signature = key.private.sign(_message(kind, statement))
    return f"{key.id}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def check(known: KnownKeys, role: KeyRole, kind: str, statement: JsonObject, signature: str) -> str:
    """Make sure that a process of a role signed exactly this; returns the key's id.

    Raises:
        SignatureError: it did not.
    """
    key_id, _, encoded = signature.partition(".")
    public = known.keys.get(key_id)
    if role_of(key_id) != role or public is None:
        raise SignatureError(f"{kind}: signed by {key_id!r}, which is no known key of role {role}")
    try:
        public.verify(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)), _message(kind, statement))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise SignatureError(f"{kind}: the signature does not fit the statement") from error
    return key_id


def _message(kind: str, statement: JsonObject) -> bytes:
    """The bytes that are signed; the kind keeps a statement from being taken for one of another meaning."""
    return b"docproc\0" + kind.encode() + b"\0" + canonical_json(statement)


def _id_of(role: KeyRole, public: Ed25519PublicKey) -> str:
    digest = hashlib.sha256(role.encode() + b"\0" + public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()
    return f"{role}-{digest[:24]}"
