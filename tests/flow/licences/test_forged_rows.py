"""Whoever can write the database and the blob store, but has no official's secret and not the web key, seals nothing.

Each table has at least one attempt; a new table without one fails the first test.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from docproc.canonical import canonical_sha256
from docproc.errors import AccessError, DocprocError, SealError
from docproc.flow.accounts import seats, users
from docproc.flow.accounts.api_keys import authenticate
from docproc.flow.applications.applications import view_application
from docproc.flow.core import in_force
from docproc.flow.core.stages import Tools
from docproc.flow.licences import issuing, jobs
from docproc.flow.review.decisions import decide
from docproc.flow.seals.registry import confirm_change, propose_change
from docproc.licence.devpki.pki import AUTHORITY
from docproc.matter.load import MATTERS_DIR, find_matter, put_in_force
from docproc.settings import Settings
from docproc.store.seals import trust_list
from docproc.store.tables.base import Base
from tests.flow.conftest import DATABASE, _migrated
from tests.flow.forging import World, build, copied
from tests.flow.people import APPROVER, SEALER, seen

Attempt = Callable[[World], None]
ATTEMPTS: dict[str, list[Attempt]] = {}
INERT = (
    "access_log",
    "claims",
    "custody",
    "erasures",
    "follow_codes",
    "idempotency_keys",
    "licence_holders",
    "licence_shares",
    "outbox",
    "pickup_codes",
    "previews",
    "refused_files",
    "remarks",
    "sign_in_tries",
    "sms",
    "sms_receipts",
    "upload_parts",
    "uploads",
    "webhook_deliveries",
    "webhooks",
)
"""Tables whose rows lead to no seal: they are emptied."""
NOW = datetime.now(UTC).isoformat(sep=" ")[:26]
LATER = (datetime.now(UTC) + timedelta(hours=9)).isoformat(sep=" ")[:26]


def on(*tables: str) -> Callable[[Attempt], Attempt]:
    """Enter an attempt for the tables that it writes."""

    def enter(attempt: Attempt) -> Attempt:
        for table in tables:
            ATTEMPTS.setdefault(table, []).append(attempt)
        return attempt

    return enter


def pending(world: World, name: str) -> None:
    """Make it look as if the queue had an application to seal."""
    world.sql(
        "UPDATE applications SET status = 'approved', seal_state = 'queued', seal_attempt = 1 WHERE number = :n",
        n=world.numbers[name],
    )


def forge_decision(world: World, name: str, signed: str | None = None, release: str | None = None) -> None:
    number, made = world.numbers[name], secrets.token_hex(16)
    content = view_application(world.web, APPROVER, number)["content_sha256"]
    world.sql(
        "INSERT INTO decisions (id, application, on_version, action, decided_by, decided_at, reason, basis, "
        "seen_sha256, set_aside, confirmed, changed, released_by, released_at, signed, release_signed) "
        "VALUES (:id, :n, 99, 'approve', 'invented-1', :at, '', '', :seen, '[]', '[]', '[]', "
        "'invented-2', :at, :signed, :release)",
        id=made,
        n=number,
        at=NOW,
        seen=content,
        signed=signed,
        release=release,
    )


@on("decisions")
def an_approval_by_invented_names(world: World) -> None:
    forge_decision(world, "rejected")
    pending(world, "rejected")


@on("decisions")
def an_approval_with_the_signatures_of_another(world: World) -> None:
    query = "SELECT {} FROM decisions WHERE id = :id"
    parts = [world.one(query.format(name), id=world.approval("licensed")) for name in ("signed", "release_signed")]
    forge_decision(world, "waiting", *parts)
    pending(world, "waiting")


@on("decisions")
def the_refusal_turned_into_an_approval(world: World) -> None:
    world.sql("UPDATE decisions SET action = 'approve' WHERE id = :id", id=world.approval("rejected"))
    pending(world, "rejected")


@on("decisions")
def the_return_turned_into_an_approval(world: World) -> None:
    world.sql("UPDATE decisions SET action = 'approve' WHERE id = :id", id=world.approval("returned"))
    pending(world, "returned")


@on("decisions")
def a_release_that_nobody_gave(world: World) -> None:
    other = world.one("SELECT release_signed FROM decisions WHERE id = :id", id=world.approval("licensed"))
    world.sql(
        "UPDATE decisions SET released_by = 'sealer-1', released_at = :at, release_signed = :other WHERE id = :id",
        id=world.approval("approved"),
        at=NOW,
        other=other,
    )
    pending(world, "approved")


@on("decisions")
def an_approval_by_somebody_else_than_signed_it(world: World) -> None:
    world.release("approved")
    world.sql("UPDATE decisions SET decided_by = 'approver-9' WHERE id = :id", id=world.approval("approved"))


@on("opinions")
def opinions_of_all_departments(world: World) -> None:
    number = world.numbers["joint"]
    for seq, department in enumerate(find_matter("social_insurance").department, 1):
        world.sql(
            "INSERT INTO opinions (id, application, round, org, seq, action, given_by, given_at, reason, basis, "
            "seen_sha256, set_aside, confirmed) VALUES (:id, :n, 1, :org, :seq, 'approve', :by, :at, '', '', :seen, "
            "'[]', '[]')",
            id=secrets.token_hex(16),
            n=number,
            org=department.org,
            seq=seq,
            by=f"invented-{seq}",
            at=NOW,
            seen=view_application(world.web, APPROVER, world.numbers["waiting"])["content_sha256"],
        )
    signed = world.one("SELECT signed FROM decisions WHERE id = :id", id=world.approval("licensed"))
    content = "SELECT seen_sha256 FROM opinions LIMIT 1"
    world.sql(
        "INSERT INTO decisions (id, application, on_version, action, decided_by, decided_at, reason, basis, "
        "seen_sha256, set_aside, confirmed, changed, signed) VALUES ('x', :n, 9, 'approve', 'invented-1', :at, '', '', "
        f"({content}), '[]', '[]', '[]', :signed)",
        n=number,
        at=NOW,
        signed=signed,
    )
    pending(world, "joint")


@on("applications")
def an_application_said_to_be_approved(world: World) -> None:
    pending(world, "waiting")


@on("applications")
def another_said_to_have_handed_it_in(world: World) -> None:
    world.release("approved")
    world.sql("UPDATE applications SET created_by = 'kiosk-9' WHERE number = :n", n=world.numbers["approved"])


@on("applications")
def another_matter(world: World) -> None:
    world.release("approved")
    world.sql("UPDATE applications SET matter = 'food_licence' WHERE number = :n", n=world.numbers["approved"])


@on("readings")
def another_name_read(world: World) -> None:
    world.release("approved")
    with world.web.database.write() as session:
        rows = session.execute(sa.text("SELECT page_id, page_index, body FROM readings")).all()
        for page, index, text in rows:
            body = json.loads(text)
            for item in body["fields"].values():
                item["value"] = "冒名者" if item["value"] and not item["value"].isascii() else item["value"]
            query = sa.text("UPDATE readings SET body = :b WHERE page_id = :p AND page_index = :i")
            session.execute(query, {"b": json.dumps(body), "p": page, "i": index})


@on("corrections")
def a_value_corrected_by_nobody(world: World) -> None:
    world.release("approved")
    page = "SELECT id FROM pages WHERE application = :n ORDER BY position LIMIT 1"
    with world.web.database.read() as session:
        values = {"n": world.numbers["approved"]}
        key = session.execute(sa.text(page), values).scalar_one()
        body = session.execute(sa.text("SELECT body FROM readings WHERE page_id = :p"), {"p": key}).scalar_one()
    for name in json.loads(body)["fields"]:
        world.sql(
            "INSERT INTO corrections (page_id, page_index, field, value, corrected_by, corrected_at, kind) "
            "VALUES (:p, 0, :f, '冒名者', 'clerk-1', :at, 'misread')",
            p=key,
            f=name,
            at=NOW,
        )


@on("pages")
def a_page_exchanged(world: World) -> None:
    world.release("approved")
    key = world.web.blobs.put(b"%PDF-1.7 another paper")
    page = world.one("SELECT id FROM pages WHERE application = :n LIMIT 1", n=world.numbers["approved"])
    world.sql("UPDATE pages SET sha256 = :k WHERE id = :p", k=key, p=page)


@on("page_assignments")
def a_page_named_otherwise(world: World) -> None:
    world.release("approved")
    page = world.one("SELECT id FROM pages WHERE application = :n LIMIT 1", n=world.numbers["approved"])
    world.sql(
        "INSERT INTO page_assignments (page_id, page_index, material, side, assigned_by, assigned_at, followed) "
        "VALUES (:p, 0, 'lease', 1, 'clerk-1', :at, 1)",
        p=page,
        at=NOW,
    )
    world.sql("UPDATE readings SET material = 'lease' WHERE page_id = :p", p=page)
    world.sql("UPDATE readings SET body = json_set(body, '$.material', 'lease') WHERE page_id = :p", p=page)


@on("findings")
def a_finding_of_another_kind(world: World) -> None:
    world.release("approved")
    world.sql(
        "INSERT INTO findings (application, code, severity, message, basis, look) VALUES (:n, 'x', 'block', '', '', 0)",
        n=world.numbers["approved"],
    )


@on("licences")
def a_licence_numbered_by_nobody(world: World) -> None:
    world.release("approved")
    Tools.install(world.sealer, world.stages())
    issuing.allocate(world.approval("approved"))
    body = json.loads(world.one("SELECT body FROM licences WHERE sha256 IS NULL"))
    body["holder"] = "冒名者"
    world.sql("UPDATE licences SET body = :b WHERE sha256 IS NULL", b=json.dumps(body))


@on("licences")
def a_revoked_licence_said_to_be_unsealed(world: World) -> None:
    world.sql(
        "UPDATE licences SET sha256 = NULL, sealed_at = NULL, status = 'preparing' WHERE number = :n",
        n=world.licence("revoked"),
    )
    pending(world, "revoked")


@on("licences", "licence_files", "licence_events")
def a_revoked_licence_taken_out_of_the_register(world: World) -> None:
    number = world.licence("revoked")
    for table in ("licence_events", "licence_files", "licence_holders"):
        world.sql(f"DELETE FROM {table} WHERE licence = :n", n=number)
    world.sql("DELETE FROM licences WHERE number = :n", n=number)
    pending(world, "revoked")


@on("licence_events")
def a_revoked_licence_said_to_be_valid(world: World) -> None:
    number = world.licence("revoked")
    world.sql("UPDATE licence_events SET status = 'valid' WHERE licence = :n", n=number)
    world.sql("UPDATE licences SET status = 'valid' WHERE number = :n", n=number)
    found = jobs.gather(world.sealer, 99, datetime.now(UTC))
    assert found.standings[number].status == "revoked"


@on("licence_files", "licences")
def a_file_that_nobody_sealed(world: World) -> None:
    world.release("approved")
    Tools.install(world.sealer, world.stages())
    number = issuing.allocate(world.approval("approved"))
    key = world.web.blobs.put(b"%PDF-1.7 not ours")
    world.sql(
        "UPDATE licences SET sha256 = :k, status = 'valid', sealed_at = :at WHERE number = :n", k=key, at=NOW, n=number
    )
    world.sql(
        "INSERT INTO licence_files (sha256, licence, registered_at, reason) VALUES (:k, :n, :at, 'issued')",
        k=key,
        n=number,
        at=NOW,
    )


@on("licence_versions")
def a_version_that_nobody_ordered(world: World) -> None:
    number = world.licence("licensed")
    body = json.loads(world.one("SELECT body FROM licences WHERE number = :n", n=number)) | {"version": 2}
    world.sql(
        "INSERT INTO licence_versions (id, licence, version, action, body, ordered_by, ordered_at, reason, basis, "
        "state, note, attempt) VALUES ('v', :n, 2, 'correct', :b, 'approver-1', :at, 'x', 'x', 'queued', '', 1)",
        n=number,
        b=json.dumps(body),
        at=NOW,
    )


@on("licence_versions")
def a_version_sealed_again(world: World) -> None:
    world.sql("UPDATE licence_versions SET state = 'queued', sha256 = NULL")


@on("licence_versions")
def a_version_with_another_content(world: World) -> None:
    body = json.loads(world.one("SELECT body FROM licence_versions")) | {"holder": "冒名者", "version": 3}
    world.sql("UPDATE licence_versions SET state = 'queued', sha256 = NULL, version = 3, body = :b", b=json.dumps(body))


@on("notices")
def a_notice_that_says_something_else(world: World) -> None:
    body = json.loads(world.one("SELECT body FROM notices"))
    body["fields"] = [[*told[:2], "请补交费用" if told[0] == "address" else told[2]] for told in body["fields"]]
    world.sql("UPDATE notices SET state = 'queued', sha256 = NULL, body = :b", b=json.dumps(body))


@on("notices")
def a_notice_sealed_again(world: World) -> None:
    world.sql("UPDATE notices SET state = 'queued', sha256 = NULL")


@on("counters")
def running_numbers_set_back(world: World) -> None:
    world.sql("UPDATE counters SET value = 0 WHERE name LIKE 'licence:%'")


@on("status_lists")
def a_status_list_of_ones_own(world: World) -> None:
    world.sql("INSERT INTO status_lists (sequence, issued_at, body) VALUES (999, :at, 'x.y.z')", at=NOW)


@on("catalogue_changes")
def rules_without_a_second_person(world: World) -> None:
    text = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
    lax = text.replace("separate_sealer = true", "separate_sealer = false")
    lax = lax if lax != text else text.replace('id = "sole_trader"\n', 'id = "sole_trader"\nseparate_sealer = false\n')
    world.sql(
        "INSERT INTO catalogue_changes (id, files, bases, starts_on, reason, state, proposed_by, proposed_at, "
        "closed_by, closed_at) VALUES ('x', :f, '{}', '2020-01-01', 'x', 'confirmed', 'admin-1', :at, "
        "'approver-1', :at)",
        f=json.dumps({"sole_trader.toml": lax}),
        at=NOW,
    )
    in_force.refresh(world.sealer.database, world.sealer.settings.data_dir, world.sealer.today(), now=True)
    assert find_matter("sole_trader").separate_sealer
    pending(world, "approved")


@on("seals")
def another_seal(world: World) -> None:
    world.release("approved")
    world.sql("UPDATE seals SET owner = '冒名机关'")


@on("seals", "seal_changes")
def a_registry_filled_anew(world: World) -> None:
    world.release("approved")
    signed = world.one("SELECT signed FROM seals LIMIT 1")
    world.sql('UPDATE seals SET licence_kinds = \'["food_business", "sole_trader"]\', signed = :s', s=signed)
    world.sql(
        "INSERT INTO seal_changes (id, seal, action, body, reason, proposed_by, proposed_at, state, closed_by, "
        "closed_at) VALUES ('x', 'market_regulation', 'resume', '{}', 'x', 'approver-1', :at, 'confirmed', 'sealer-1', "
        ":at)",
        at=NOW,
    )


@on("seals")
def a_suspended_seal_put_back_as_it_was(world: World) -> None:
    """The entry from before was signed too; the sealer saw the newer one."""
    with world.web.database.read() as session:
        before = session.execute(sa.text("SELECT name, suspended, signed FROM seals")).all()
    for name in [row[0] for row in before]:
        change = propose_change(world.web, SEALER, name, "suspend", "密钥保管人变动")
        confirm_change(world.web, APPROVER, change["id"])
    world.release("approved")
    assert world.run_everything() == 0
    for name, suspended, signed in before:
        world.sql("UPDATE seals SET suspended = :s, signed = :g WHERE name = :n", s=suspended, g=signed, n=name)


@on("seals", "seal_changes")
def a_registry_emptied_to_be_filled_by_the_sealer(world: World) -> None:
    for name in ("market_regulation", "social_insurance"):
        change = propose_change(world.web, SEALER, name, "suspend", "密钥保管人变动")
        confirm_change(world.web, APPROVER, change["id"])
    world.release("approved")
    assert world.run_everything() == 0
    for table in ("seals", "seal_changes"):
        world.sql(f"DELETE FROM {table}")


@on("trust_changes")
def a_root_recognised_by_nobody(world: World) -> None:
    world.sql(
        "INSERT INTO trust_changes (id, root_sha256, action, body, reason, proposed_by, proposed_at, state, closed_by, "
        "closed_at) VALUES ('x', 'ab', 'add', '{}', 'x', 'approver-1', :at, 'confirmed', 'sealer-1', :at)",
        at=NOW,
    )
    with world.web.database.read() as session:
        assert trust_list.recognised(session) == {}


@on("audit_log")
def the_log_written_anew_around_it(world: World) -> None:
    """Every line gets a hash that fits, with an approval among them that never was."""
    forge_decision(world, "rejected")
    pending(world, "rejected")
    world.release("approved")
    with world.web.database.write() as session:
        session.execute(
            sa.text("UPDATE audit_log SET actor = 'invented-1', action = 'application.approved' WHERE seq = 9")
        )
        before = "0" * 64
        for row in session.execute(sa.text("SELECT * FROM audit_log ORDER BY seq")).mappings().all():
            at = datetime.fromisoformat(row["happened_at"]).replace(tzinfo=UTC).isoformat()
            body = [row["seq"], at, row["actor"], row["action"], row["subject"], json.loads(row["detail"]), before]
            now = canonical_sha256(body)
            query = sa.text("UPDATE audit_log SET previous = :p, sha256 = :s WHERE seq = :n")
            session.execute(query, {"p": before, "s": now, "n": row["seq"]})
            before = now


@on("users", "user_sessions")
def an_official_who_was_never_added(world: World) -> None:
    hashed = PasswordHasher().hash("a password of 12")
    world.sql(
        "INSERT INTO users (id, name, title, org, roles, password_hash, must_change, totp_secret, totp_step, failures, "
        "created_at, created_by) VALUES ('u', 'invented-1', 'x', 'office', '[\"approver\", \"sealer\"]', :h, 0, "
        "'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', 0, 0, :at, 'system')",
        h=hashed,
        at=NOW,
    )
    token = "t" * 43
    world.sql(
        "INSERT INTO user_sessions (sha256, user_id, created_at, seen_at, expires_at) VALUES (:s, 'u', :at, :at, :to)",
        s=sha256(token.encode()).hexdigest(),
        at=NOW,
        to=LATER,
    )
    assert users.official(world.web, token) is None
    with pytest.raises(users.SignInError):
        users.sign_in(world.web, "invented-1", "a password of 12", pyotp.TOTP("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").now())


@on("users", "user_sessions")
def an_official_with_other_roles_or_another_password(world: World) -> None:
    made = users.add_user(world.web, None, "clerk-7", "x", "office", ["clerk"])
    code = pyotp.TOTP(made.totp_secret)
    token = users.sign_in(world.web, "clerk-7", made.password, code.now())
    assert users.official(world.web, token) is not None
    for column, value in (
        ("roles", '["approver", "sealer"]'),
        ("password_hash", PasswordHasher().hash("a password of 12")),
        ("org", "elsewhere"),
        ("totp_secret", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
    ):
        before = world.one(f"SELECT {column} FROM users WHERE name = 'clerk-7'")
        world.sql(f"UPDATE users SET {column} = :v WHERE name = 'clerk-7'", v=value)
        assert users.official(world.web, token) is None, column
        world.sql("UPDATE users SET totp_step = 0 WHERE name = 'clerk-7'")
        with pytest.raises(users.SignInError):
            users.sign_in(world.web, "clerk-7", made.password, code.now())
        world.sql(f"UPDATE users SET {column} = :v WHERE name = 'clerk-7'", v=before)
    assert users.official(world.web, token) is not None
    world.sql("UPDATE user_sessions SET expires_at = :to", to=LATER)
    assert users.official(world.web, token) is None


@on("api_keys", "page_sessions")
def a_key_that_was_never_made(world: World) -> None:
    secret = secrets.token_hex(32)
    world.sql(
        "INSERT INTO api_keys (id, sha256, subject, org, roles, created_at, created_by, owner, line_waiting) VALUES "
        "('abcdefabcdef', :s, 'invented-1', 'office', '[\"approver\", \"kiosk\"]', :at, 'system', 'invented-1', 0)",
        s=sha256(secret.encode()).hexdigest(),
        at=NOW,
    )
    assert authenticate(world.web, f"dp_abcdefabcdef_{secret}") is None
    with pytest.raises(AccessError):
        seats.sign_in(world.web, f"dp_abcdefabcdef_{secret}", "kiosk")
    token = "t" * 43
    world.sql(
        "INSERT INTO page_sessions (sha256, key_id, kind, created_at, seen_at, expires_at) VALUES (:s, 'abcdefabcdef', "
        "'kiosk', :at, :at, :to)",
        s=sha256(token.encode()).hexdigest(),
        at=NOW,
        to=LATER,
    )
    assert seats.seat(world.web, token, "kiosk") is None


@on("oidc_logins")
def a_sign_in_elsewhere_that_never_began(world: World) -> None:
    world.sql(
        "INSERT INTO oidc_logins (state_sha256, nonce, verifier, expires_at) VALUES (:s, 'n', 'v', :to)",
        s=sha256(b"state").hexdigest(),
        to=LATER,
    )
    with pytest.raises((users.SignInError, DocprocError)):
        users.sign_in_elsewhere(world.web, "state", {"state": "state", "code": "c"})


def _emptied(table: str) -> Attempt:
    def empty(world: World) -> None:
        with world.web.database.write() as session:
            session.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
            session.execute(sa.text(f"DELETE FROM {table}"))

    empty.__name__ = f"{table}_emptied"
    return empty


for _table in INERT:
    on(_table)(_emptied(_table))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("built")
    (folder / DATABASE).write_bytes(_migrated())
    return folder, build(Settings(data_dir=folder, _env_file=None))


@pytest.fixture
def world(built: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[World]:
    with copied(*built, tmp_path / "copy") as made:
        yield made
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


def test_every_table_has_an_attempt() -> None:
    assert set(ATTEMPTS) == set(Base.metadata.tables)


def test_what_an_official_releases_is_sealed(world: World) -> None:
    assert world.run_everything() == 0
    world.release("approved")
    assert world.run_everything() == 1
    assert world.sealed[0].application == world.numbers["approved"] and world.sealed[0].authority == AUTHORITY
    assert world.run_everything() == 0


@pytest.mark.parametrize(
    "attempt", [pytest.param(item, id=item.__name__) for item in {a: 0 for found in ATTEMPTS.values() for a in found}]
)
def test_nothing_is_sealed_by_who_writes_the_stores_alone(world: World, attempt: Attempt) -> None:
    attempt(world)
    assert world.run_everything() == 0
    assert world.run_everything() == 0


def test_a_job_that_brings_a_file_of_its_own_registers_nothing(world: World) -> None:
    """Steps that a job remembers as done are rows too."""
    world.release("approved")
    Tools.install(world.sealer, world.stages())
    number = issuing.allocate(world.approval("approved"))
    with pytest.raises(SealError, match="no known key"):
        issuing.register(number, world.web.blobs.put(b"%PDF-1.7 not ours"), "")
    assert view_application(world.web, APPROVER, world.numbers["approved"])["licence"] is None
    assert world.run_everything() == 1


def test_an_approval_that_nobody_signed_goes_back_to_an_official_who_looks_again(world: World) -> None:
    forge_decision(world, "waiting")
    pending(world, "waiting")
    assert world.run_everything() == 0
    number = world.numbers["waiting"]
    view = view_application(world.web, APPROVER, number)
    assert view["status"] == "accepted" and view["seal"]["state"] == "unconfirmed"
    assert "需重新确认" in view["seal"]["note"]
    decide(world.web, APPROVER, number, "approve", seen(view))
    world.release("waiting")
    assert world.run_everything() == 1


def test_a_release_that_nobody_gave_still_waits_for_it(world: World) -> None:
    a_release_that_nobody_gave(world)
    assert world.run_everything() == 0
    assert view_application(world.web, SEALER, world.numbers["approved"])["seal"]["state"] == "awaiting_release"
    world.release("approved")
    assert world.run_everything() == 1
