"""The keys that signed the log come with a backup under a passphrase, or a restore asks for them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pyotp
import pytest

from docproc.errors import ConflictError, InputError, SetupError
from docproc.flow.accounts import users
from docproc.flow.core.chain_guard import check_log
from docproc.flow.core.context import Context, open_context
from docproc.flow.upkeep.backup import LOCKED, back_up, restore
from docproc.flow.upkeep.key_files import KeyFile, collect, install, lock, unlock
from docproc.process_keys import deal_keys, ensure_key, known_keys
from docproc.secret_keys import read_ring
from docproc.settings import Settings
from docproc.store.audit import audit, chain
from tests.flow.core.test_chain_guard import add

PASSPHRASE = "twelve letters or more"


@pytest.fixture
def saved(ctx: Context, tmp_path: Path) -> Path:
    """A backup without private keys, of a log that web and sealer signed."""
    folder = tmp_path / "backup"
    _work(ctx)
    made = back_up(ctx, folder)
    assert made.locked == () and {key.partition("-")[0] for key in made.keys} == {"web", "sealer"}
    return folder


def _work(ctx: Context) -> None:
    add(ctx, "li", "did", "a")
    sealer = open_context(ctx.settings, role="sealer")
    add(sealer, "system", "seal.failed", "A-1", note="")
    check_log(sealer)
    sealer.close()


def elsewhere(folder: Path, **more: str) -> Settings:
    """Another machine."""
    folder.mkdir(exist_ok=True)
    return Settings(data_dir=folder, _env_file=None, **more)  # type: ignore[arg-type]


def test_no_private_key_is_in_a_backup_that_does_not_ask_for_it(ctx: Context, saved: Path) -> None:
    folder = ctx.settings.keys_folder
    secrets = [(folder / f"{role}.key").read_bytes() for role in ("web", "sealer", "reader")]
    held = [path.read_bytes() for path in saved.rglob("*") if path.is_file()]
    assert not any(secret in data for secret in secrets for data in held)
    assert not (saved / LOCKED).exists()


def test_a_restore_without_the_keys_is_refused_before_anything_is_written(saved: Path, tmp_path: Path) -> None:
    there = elsewhere(tmp_path / "there")
    with pytest.raises(SetupError, match="does not know them"):
        restore(there, saved)
    assert not (there.data_dir / "docproc.db").exists() and not there.keys_folder.exists()


def test_a_restore_without_keys_believes_the_public_ones_and_says_what_to_do(saved: Path, tmp_path: Path) -> None:
    there = elsewhere(tmp_path / "there", process_keys=str(tmp_path / "there-keys"))
    proof = restore(there, saved, without_keys=True)
    assert proof.ok, proof.problems
    assert any("nobody vouches for the public keys" in note for note in proof.notes)
    assert any("docproc process-key make web" in note for note in proof.notes)
    ensure_key(there.keys_folder, "web")
    again = open_context(there)
    add(again, "li", "did", "b")
    with again.database.read() as session:
        assert chain.walk(session, again.keys.known).ok, "the old key is known, the new one goes on"
        assert len(audit.signers(session)) == 3
    again.close()


def test_keys_under_a_passphrase_come_back_as_they_were(ctx: Context, tmp_path: Path) -> None:
    _work(ctx)
    folder = tmp_path / "backup"
    made = back_up(ctx, folder, passphrase=PASSPHRASE)
    assert set(made.locked) == {"web", "sealer", "reader"}
    assert (folder / LOCKED).stat().st_mode & 0o777 == 0o600
    there = elsewhere(tmp_path / "there", process_keys=str(tmp_path / "there-keys"))
    with pytest.raises(InputError, match="does not open the keys"):
        restore(there, folder, passphrase="another passphrase")
    proof = restore(there, folder, passphrase=PASSPHRASE)
    assert proof.ok and proof.notes == []
    for role in ("web", "sealer", "reader"):
        mine, theirs = (place / f"{role}.key" for place in (ctx.settings.keys_folder, there.keys_folder))
        assert mine.read_bytes() == theirs.read_bytes() and theirs.stat().st_mode & 0o777 == 0o600
    back_up(ctx, folder)
    with pytest.raises(InputError, match="--with-keys"):
        restore(elsewhere(tmp_path / "third"), folder, passphrase=PASSPHRASE)


def test_who_restores_a_backup_signs_in_with_its_keys_for_secrets_and_is_told_where_they_are_missing(
    ctx: Context, tmp_path: Path
) -> None:
    user = users.add_user(ctx, None, "wang", "", "office", ["reviewer"])
    folder = tmp_path / "backup"
    made = back_up(ctx, folder, passphrase=PASSPHRASE)
    used = read_ring(ctx.settings.keys_folder, "accounts")[0]
    assert made.secrets == (used.id,)
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert user.totp_secret.encode() not in held and base64.b64encode(used.secret) not in held
    there = elsewhere(tmp_path / "there")
    proof = restore(there, folder, passphrase=PASSPHRASE)
    assert proof.ok and proof.notes == []
    restored = open_context(there)
    assert users.sign_in(restored, "wang", user.password, pyotp.TOTP(user.totp_secret).now())
    restored.close()
    without = elsewhere(tmp_path / "without")
    for path in ctx.settings.keys_folder.glob("*.pub"):
        without.keys_folder.mkdir(exist_ok=True)
        (without.keys_folder / path.name).write_bytes(path.read_bytes())
    proof = restore(without, folder)
    assert proof.ok and any(used.id in note and "docproc user add" in note for note in proof.notes)


def test_a_restore_on_a_machine_whose_sealer_knows_more_says_so(ctx: Context, saved: Path, tmp_path: Path) -> None:
    add(ctx, "li", "did", "after the backup")
    sealer = open_context(ctx.settings, role="sealer")
    check_log(sealer)
    sealer.close()
    there = elsewhere(tmp_path / "there", process_keys=str(ctx.settings.keys_folder))
    proof = restore(there, saved)
    assert proof.ok and any("accept-restore" in note for note in proof.notes)


def test_a_backup_of_the_version_before_is_restored(ctx: Context, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    back_up(ctx, folder)
    manifest = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps({k: v for k, v in manifest.items() if k not in ("keys", "locked")}))
    assert restore(elsewhere(tmp_path / "there"), folder).ok


def test_a_file_of_keys_that_was_changed_or_is_another_does_not_open(tmp_path: Path) -> None:
    deal_keys(tmp_path)
    keys = collect(tmp_path / "web")
    data = lock(keys, PASSPHRASE)
    assert unlock(data, PASSPHRASE) == keys and PASSPHRASE.encode() not in data
    raw = json.loads(data)
    for change in ({"rounds": 4}, {"data": raw["data"][:-8] + "AAAAAAA="}, {"memory_kib": 2**40}, {"schema": "x"}):
        with pytest.raises(InputError):
            unlock(json.dumps({**raw, **change}).encode(), PASSPHRASE)
    with pytest.raises(InputError):
        unlock(b"[]", PASSPHRASE)
    with pytest.raises(InputError, match="12 characters"):
        lock(keys, "short")


def test_another_key_is_not_overwritten_and_names_do_not_leave_the_folder(tmp_path: Path) -> None:
    deal_keys(tmp_path)
    keys = collect(tmp_path / "web")
    ensure_key(tmp_path / "other", "web")
    with pytest.raises(ConflictError, match="another key"):
        install(keys, tmp_path / "other")
    public = next(iter(keys.public.values()))
    install(KeyFile({}, {"../outside.pub": public, "no-key.txt": public}), tmp_path / "third")
    assert list((tmp_path / "third").iterdir()) == [] and not (tmp_path / "outside.pub").exists()
    assert install(keys, tmp_path / "third") == ["web"]
    assert known_keys(tmp_path / "third") == known_keys(tmp_path / "web")
