"""Keys of processes: who signs, who is believed, and what a key's file must be."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from docproc.errors import SetupError
from docproc.process_keys import (
    NO_KEYS,
    ROLES,
    ProcessKey,
    SignatureError,
    check,
    deal_keys,
    ensure_key,
    find_key,
    known_keys,
    load_key,
    make_key,
    rotate_key,
    sign,
)

SAID = {"row": "7", "action": "approve", "roles": ["reviewer"], "名": "值"}


def test_what_a_web_key_signed_holds_for_a_web_key_of_this_kind_alone(tmp_path: Path) -> None:
    web, sealer = make_key(tmp_path, "web"), make_key(tmp_path, "sealer")
    known = known_keys(tmp_path)
    assert check(known, "web", "decision", SAID, sign(web, "decision", SAID)) == web.id
    for wrong in (
        sign(web, "release", SAID),
        sign(sealer, "decision", SAID),
        sign(web, "decision", {**SAID, "action": "return"}),
        sign(ProcessKey("web", web.id, sealer.private), "decision", SAID),
        sign(ProcessKey("sealer", web.id, sealer.private), "decision", SAID),
        f"{web.id}.",
        f"{web.id}.???",
        "",
    ):
        with pytest.raises(SignatureError):
            check(known, "web", "decision", SAID, wrong)
    with pytest.raises(SignatureError):
        check(NO_KEYS.known, "web", "decision", SAID, sign(web, "decision", SAID))


def test_a_replaced_key_stays_known_for_what_it_signed(tmp_path: Path) -> None:
    old = make_key(tmp_path, "web")
    (tmp_path / "web.key").unlink()
    new = make_key(tmp_path, "web")
    known = known_keys(tmp_path)
    assert known.of_role("web") == tuple(sorted([old.id, new.id])) and known.of_role("sealer") == ()
    assert check(known, "web", "decision", SAID, sign(old, "decision", SAID)) == old.id
    assert load_key(tmp_path, "web").id == new.id


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        made = {key.id for key in pool.map(lambda _: ensure_key(folder, "web"), range(24))}
    assert len(made) == 1 and known_keys(folder).of_role("web") == tuple(made)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "web.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["web.key", f"{made.pop()}.pub"][::-1]
    with pytest.raises(FileExistsError):
        make_key(folder, "web")
    assert "private" not in repr(load_key(folder, "web"))


def test_a_public_key_is_not_taken_under_another_name(tmp_path: Path) -> None:
    key = make_key(tmp_path, "reader")
    public = tmp_path / f"{key.id}.pub"
    for name in (key.id.replace("reader", "web"), "web-" + "0" * 24, "boss-" + key.id[7:]):
        claimed = public.rename(tmp_path / f"{name}.pub")
        with pytest.raises(SetupError, match="not the key that its name says"):
            known_keys(tmp_path)
        claimed.rename(public)
    public.write_text("damaged")
    with pytest.raises(SetupError, match="cannot be read"):
        known_keys(tmp_path)


def test_a_missing_or_damaged_key_names_the_remedy(tmp_path: Path) -> None:
    assert find_key(tmp_path, "web") is None and known_keys(tmp_path / "none").keys == {}
    with pytest.raises(SetupError, match="docproc process-key make web"):
        load_key(tmp_path, "web")
    (tmp_path / "web.key").write_text("damaged")
    with pytest.raises(SetupError, match="damaged"):
        find_key(tmp_path, "web")


def test_keys_are_dealt_so_that_each_role_has_its_own_and_knows_all(tmp_path: Path) -> None:
    made = deal_keys(tmp_path)
    assert [key.role for key in made] == list(ROLES)
    for role in ROLES:
        folder = tmp_path / role
        assert sorted(path.name for path in folder.glob("*.key")) == [f"{role}.key"]
        assert set(known_keys(folder).keys) == {key.id for key in made}
    rotated = rotate_key(tmp_path / "web", "web")
    assert [key.id for key in deal_keys(tmp_path)] == [rotated.id, *(key.id for key in made[1:])], "what is there stays"
    assert set(known_keys(tmp_path / "sealer").keys) == {rotated.id, *(key.id for key in made)}


def test_a_key_that_is_not_there_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="process-key make"):
        rotate_key(tmp_path, "web")
