"""The keys of the processes in a file that a passphrase locks: for a backup, and to bring keys to another machine.

The passphrase is stretched by Argon2id (RFC 9106), the content is sealed by AES-256-GCM; who changes the file or the
parameters in it gets nothing out.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from docproc.canonical import canonical_json
from docproc.errors import ConflictError, InputError, SetupError
from docproc.private_file import create_private, write_private
from docproc.process_keys import ROLES, KeyRole, find_key, known_keys, load_key
from docproc.secret_keys import PURPOSES, file_name, take_in

SCHEMA = "docproc-process-keys-1"
SHORTEST = 12
"""Characters of a passphrase."""
_ROUNDS, _MEMORY_KIB, _LANES = 3, 65536, 4
"""RFC 9106, second recommended option."""
_MOST_MEMORY_KIB, _MOST_ROUNDS = 2**21, 64


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What such a file holds: names and contents as they lie in the folder of the keys."""

    private: Mapping[str, bytes]
    public: Mapping[str, bytes]


def collect(folder: Path) -> KeyFile:
    """The keys in a folder, as far as this user may read them.

    Raises:
        SetupError: a key is damaged.
    """
    known_keys(folder)
    own = [f"{role}.key" for role in ROLES if find_key(folder, role) is not None]
    own += [name for name in map(file_name, PURPOSES) if os.access(folder / name, os.R_OK)]
    return KeyFile(
        {name: (folder / name).read_bytes() for name in own},
        {path.name: path.read_bytes() for path in sorted(folder.glob("*.pub"))},
    )


def lock(keys: KeyFile, passphrase: str) -> bytes:
    """Make the file.

    Raises:
        InputError: the passphrase is too short.
    """
    if len(passphrase) < SHORTEST:
        raise InputError(f"the passphrase of the keys needs at least {SHORTEST} characters")
    salt, nonce = os.urandom(16), os.urandom(12)
    header: dict[str, object] = {
        "schema": SCHEMA,
        "kdf": "argon2id",
        "rounds": _ROUNDS,
        "memory_kib": _MEMORY_KIB,
        "lanes": _LANES,
        "salt": _text(salt),
        "nonce": _text(nonce),
    }
    kinds = (("private", keys.private), ("public", keys.public))
    content = {kind: {name: _text(data) for name, data in files.items()} for kind, files in kinds}
    secret = _stretch(passphrase, salt, _ROUNDS, _MEMORY_KIB, _LANES)
    sealed = AESGCM(secret).encrypt(nonce, canonical_json(content), canonical_json(header))
    return json.dumps({**header, "data": _text(sealed)}, indent=2).encode() + b"\n"


def unlock(data: bytes, passphrase: str) -> KeyFile:
    """Read the file.

    Raises:
        InputError: the passphrase is wrong, or the file is damaged or another one.
    """
    try:
        header = json.loads(data)
        sealed = base64.b64decode(header.pop("data"))
        if header["schema"] != SCHEMA or header["kdf"] != "argon2id":
            raise ValueError("an unknown kind of file")
        rounds, memory, lanes = (int(header[name]) for name in ("rounds", "memory_kib", "lanes"))
        if not (0 < rounds <= _MOST_ROUNDS and 8 * lanes <= memory <= _MOST_MEMORY_KIB and 0 < lanes <= 64):
            raise ValueError("it asks for more work than any file of ours")
        secret = _stretch(passphrase, base64.b64decode(header["salt"]), rounds, memory, lanes)
        content = AESGCM(secret).decrypt(base64.b64decode(header["nonce"]), sealed, canonical_json(header))
        raw = json.loads(content)
        private, public = ({n: base64.b64decode(d) for n, d in raw[kind].items()} for kind in ("private", "public"))
    except InvalidTag as error:
        raise InputError("the passphrase does not open the keys, or their file was changed") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"this is no file of process keys: {error or type(error).__name__}") from error
    return KeyFile(private, public)


def install(keys: KeyFile, folder: Path) -> list[KeyRole]:
    """Put keys into a folder; returns the roles whose private key came with them.

    Raises:
        ConflictError: the folder has another private key of a role.
        SetupError: the folder cannot be written, or a key is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    roles = [role for role in ROLES if f"{role}.key" in keys.private]
    for role in roles:
        path = folder / f"{role}.key"
        if path.exists() and path.read_bytes() != keys.private[path.name]:
            raise ConflictError(f"{path} is another key: take it away first, or restore into another folder")
    try:
        for name, data in keys.public.items():
            if Path(name).name == name and name.endswith(".pub") and not (folder / name).exists():
                write_private(folder / name, data)
                (folder / name).chmod(0o644)
        for role in roles:
            if not (folder / f"{role}.key").exists():
                create_private(folder / f"{role}.key", keys.private[f"{role}.key"])
        for purpose in PURPOSES:
            if file_name(purpose) in keys.private:
                take_in(folder, purpose, keys.private[file_name(purpose)])
    except OSError as error:
        raise SetupError(f"keys cannot be put into {folder}: {error.strerror}") from error
    known_keys(folder)
    for role in roles:
        load_key(folder, role)
    return roles


def _stretch(passphrase: str, salt: bytes, rounds: int, memory: int, lanes: int) -> bytes:
    return hash_secret_raw(
        passphrase.encode(), salt, time_cost=rounds, memory_cost=memory, parallelism=lanes, hash_len=32, type=Type.ID
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
