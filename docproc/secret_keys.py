"""Keys that lock secrets in the database: who has the database, or a dump of it, has none of the secrets.

Some secrets must be kept as they are, for both sides compute with them: those of one-time codes, and those that sign
what is posted to webhooks. They are locked by AES-256-GCM (NIST SP 800-38D) with a key that lies in a file beside the
process keys. A locked value is bound to its place, that is table, column and row: put elsewhere it does not open.

There is one file for each purpose, so that a process has the keys of those secrets alone that it works with. Its first
line is the key in use; the others open what was locked before a change of key. The file is read at each use: what a
change of key writes into it counts at once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from docproc.errors import ConflictError, DocprocError, SetupError
from docproc.private_file import create_private, private_folder, write_private

Purpose = Literal["accounts", "webhooks"]
"""``accounts``: how officials sign in; ``webhooks``: what is posted is signed with."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
HOLDERS: dict[Purpose, tuple[str, ...]] = {"accounts": ("web",), "webhooks": ("web", "reader")}
"""Roles of the processes that have the keys of a purpose; readers post to webhooks."""
MARK = "locked1"
"""First part of a locked value; none of the secrets has a dot in it."""
_KEY_BYTES, _NONCE_BYTES, _ID_DIGITS = 32, 12, 16
_HEAD = "# Locks the secrets of {} in the database. The first line is in use, the others open older values.\n"


class LockedError(DocprocError):
    """A locked value does not open: it was changed, or belongs to another place."""

    code = "secret_locked"
    message_zh = "系统内保存的密钥无法解开，请联系管理员"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        """The id alone."""
        return f"SecretKey({self.id})"


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The keys that a process has."""

    folder: Path | None = None
    purposes: tuple[Purpose, ...] = ()

    def ring(self, purpose: Purpose) -> tuple[SecretKey, ...]:
        """The keys of a purpose, the one in use first.

        Raises:
            SetupError: this process has none, or their file is damaged.
        """
        if self.folder is None or purpose not in self.purposes:
            raise SetupError(f"no keys for the secrets of {purpose} here: run this where the web process is")
        return read_ring(self.folder, purpose)

    def lock(self, purpose: Purpose, place: str, secret: str) -> str:
        """Lock a secret for its place; raises as :meth:`ring`."""
        key = self.ring(purpose)[0]
        nonce = os.urandom(_NONCE_BYTES)
        data = AESGCM(key.secret).encrypt(nonce, secret.encode(), _bound(purpose, place, key.id))
        return f"{MARK}.{key.id}.{base64.urlsafe_b64encode(nonce + data).decode().rstrip('=')}"

    def unlock(self, purpose: Purpose, place: str, value: str) -> str:
        """The secret in a value that was locked for this place.

        A value of the version before, which is not locked yet, is returned as it is.

        Raises:
            LockedError: it was changed, or locked for another place.
            SetupError: this process does not have its key.
        """
        if not is_locked(value):
            return value
        key_id = key_of(value)
        key = next((key for key in self.ring(purpose) if key.id == key_id), None)
        if key is None:
            remedy = f"add its line to {file_name(purpose)} in DOCPROC_PROCESS_KEYS, from a backup of that file"
            raise SetupError(f"the secret at {place} is locked with the key {key_id}, which is not here: {remedy}")
        try:
            encoded = value.rpartition(".")[2]
            data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            bound = _bound(purpose, place, key.id)
            return AESGCM(key.secret).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise LockedError(f"the secret at {place} does not open: it was changed or belongs elsewhere") from error


NO_SECRETS = SecretKeys()


def is_locked(value: str) -> bool:
    """Whether a value in the database is locked."""
    return value.startswith(f"{MARK}.")


def key_of(value: str) -> str:
    """Id of the key that a value is locked with; empty for one that is not locked."""
    return value.split(".")[1] if is_locked(value) and value.count(".") == 2 else ""


def locked_with(key: SecretKey) -> str:
    """How every value begins that is locked with a key."""
    return f"{MARK}.{key.id}."


def file_name(purpose: Purpose) -> str:
    """Name of the file with the keys of a purpose."""
    return f"{purpose}.secret"


def held_by(role: str) -> tuple[Purpose, ...]:
    """Purposes whose keys a process of a role has."""
    return tuple(purpose for purpose in PURPOSES if role in HOLDERS[purpose])


def read_ring(folder: Path, purpose: Purpose) -> tuple[SecretKey, ...]:
    """The keys in the file of a purpose, the one in use first.

    Raises:
        SetupError: the file is not there, not readable or damaged.
    """
    path = folder / file_name(purpose)
    try:
        keys = _parse(path.read_text("ascii"))
    except OSError as error:
        remedy = (
            "DOCPROC_PROCESS_KEYS must name a folder with it: copy it from the web process's folder, or, on a new "
            f"deployment, `docproc secrets make {purpose}`"
        )
        raise SetupError(f"the keys for secrets {path} cannot be read: {error.strerror}; {remedy}") from error
    except ValueError as error:
        raise SetupError(f"the keys for secrets {path} are damaged: restore the file from its backup") from error
    return keys


def make_ring(folder: Path, purpose: Purpose) -> SecretKey:
    """Make the file of a purpose with its first key.

    Raises:
        FileExistsError: it is there.
        SetupError: the folder cannot be written.
    """
    key = _new_key()
    try:
        private_folder(folder)
        create_private(folder / file_name(purpose), _text(purpose, (key,)))
    except FileExistsError:
        raise
    except OSError as error:
        raise SetupError(f"keys for secrets cannot be made in {folder}: {error.strerror}") from error
    return key


def ensure_ring(folder: Path, purpose: Purpose) -> None:
    """Make the file of a purpose where there is none; raises as :func:`make_ring`."""
    if not (folder / file_name(purpose)).exists():
        with suppress(FileExistsError):  # another process was faster
            make_ring(folder, purpose)


def add_key(folder: Path, purpose: Purpose) -> SecretKey:
    """Put a new key in use; those before go on to open what they locked. Raises as :func:`read_ring`."""
    key = _new_key()
    _write(folder, purpose, (key, *read_ring(folder, purpose)))
    return key


def forget_keys(folder: Path, purpose: Purpose, wanted: Collection[str]) -> list[str]:
    """Take away the keys that are neither in use nor wanted; returns their ids. Raises as :func:`read_ring`."""
    keys = read_ring(folder, purpose)
    kept = tuple(key for place, key in enumerate(keys) if place == 0 or key.id in wanted)
    if len(kept) < len(keys):
        _write(folder, purpose, kept)
    return [key.id for key in keys if key not in kept]


def take_in(folder: Path, purpose: Purpose, data: bytes) -> None:
    """Put the keys of a file into a folder, beside those that are there.

    Raises:
        ConflictError: another key is in use there and the file does not have it.
        SetupError: the file is damaged, or the folder cannot be written.
    """
    try:
        brought = _parse(data.decode("ascii"))
    except ValueError as error:
        raise SetupError(f"the keys for secrets of {purpose} are damaged") from error
    path = folder / file_name(purpose)
    here = read_ring(folder, purpose) if path.exists() else ()
    if here and here[0] not in brought and brought[0] not in here:
        raise ConflictError(f"{path} has other keys: take it away first, or restore into another folder")
    first = here if brought and here and brought[0] in here else brought
    rest = tuple(key for key in (*here, *brought) if key not in first)
    _write(folder, purpose, (*first, *rest))


def _write(folder: Path, purpose: Purpose, keys: tuple[SecretKey, ...]) -> None:
    try:
        write_private(folder / file_name(purpose), _text(purpose, keys), durable=True)
    except OSError as error:
        raise SetupError(f"keys for secrets cannot be written to {folder}: {error.strerror}") from error


def _new_key() -> SecretKey:
    return _key(secrets.token_bytes(_KEY_BYTES))


def _key(secret: bytes) -> SecretKey:
    return SecretKey(hashlib.sha256(b"docproc secret key\0" + secret).hexdigest()[:_ID_DIGITS], secret)


def _text(purpose: Purpose, keys: tuple[SecretKey, ...]) -> bytes:
    lines = (f"{key.id} {base64.b64encode(key.secret).decode()}\n" for key in keys)
    return (_HEAD.format(purpose) + "".join(lines)).encode()


def _parse(text: str) -> tuple[SecretKey, ...]:
    """The keys of a file.

    Raises:
        ValueError: a line is no key, or there is none.
    """
    found = []
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        key_id, encoded = line.split()
        key = _key(base64.b64decode(encoded, validate=True))
        if key.id != key_id or len(key.secret) != _KEY_BYTES:
            raise ValueError("a line is no key")
        found.append(key)
    if not found:
        raise ValueError("no keys")
    return tuple(found)


def _bound(purpose: Purpose, place: str, key_id: str) -> bytes:
    """What a locked value is bound to."""
    return "\0".join(("docproc secret", MARK, purpose, key_id, place)).encode()
