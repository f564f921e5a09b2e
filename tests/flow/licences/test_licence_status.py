"""Licences after issue: what the status list says, corrections and re-issue as new versions."""

from __future__ import annotations

import hashlib
import json

import pytest

from docproc.errors import AccessError, ConflictError, InputError
from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import change_licence, licence_by_number, licence_file, view_licence
from docproc.flow.licences.verification import StoredRegister
from docproc.flow.licences.versions import new_version, status_list
from docproc.flow.review.decisions import decide, release
from tests.flow.people import APPROVER, KIOSK, REVIEWER, SEALER, seen, submitted, until

BASIS = "样例法第一条"


def issued(ctx: Context) -> str:
    view = submitted(ctx)
    approved = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], approved["version"])
    return str(until(lambda: view_application(ctx, KIOSK, view["number"])["licence"]))


def listed(ctx: Context, number: str) -> str | None:
    """Status of a licence in the list that is given out."""
    return json.loads(status_list(ctx))["standings"].get(number)  # type: ignore[no-any-return]


def test_a_change_of_status_reaches_the_list_and_the_register(office: Context) -> None:
    number = issued(office)
    data, _ = licence_file(office, APPROVER, number)
    change_licence(office, APPROVER, number, "suspend", "调查中", BASIS)
    until(lambda: listed(office, number) == "suspended")
    record = StoredRegister(office).by_sha256(hashlib.sha256(data).hexdigest())
    assert record is not None and record.since is not None
    assert (record.status, record.reason, record.basis) == ("suspended", "调查中", BASIS)
    change_licence(office, APPROVER, number, "restore", "查清", BASIS)
    until(lambda: listed(office, number) is None)


def test_a_correction_supersedes_the_former_file_under_the_same_number(office: Context) -> None:
    number = issued(office)
    old, _ = licence_file(office, APPROVER, number)
    name = next(item["name"] for item in view_licence(office, REVIEWER, number)["fields"] if item["name"] == "scope")
    ordered = new_version(office, APPROVER, number, "correct", {name: "更正后的经营范围"}, "原文有误", BASIS)
    assert (ordered["version"], ordered["state"]) == (2, "queued")
    until(lambda: licence_by_number(office, number)["version"] == 2)
    new, _ = licence_file(office, APPROVER, number)
    assert new != old and "更正后的经营范围".encode() in new
    register = StoredRegister(office)
    former, current = (register.by_sha256(hashlib.sha256(data).hexdigest()) for data in (old, new))
    assert former is not None and current is not None
    assert (former.issued, current.issued, current.status) == ("superseded", "as-issued", "valid")
    until(lambda: hashlib.sha256(old).hexdigest() in json.loads(status_list(office))["superseded"])
    assert hashlib.sha256(new).hexdigest() not in json.loads(status_list(office))["superseded"]
    last = view_licence(office, REVIEWER, number)["history"][-1]
    assert (last["status"], last["by"], last["reason"], last["basis"]) == ("valid", "approver-1", "原文有误", BASIS)


def test_what_a_correction_cannot_do(office: Context) -> None:
    number = issued(office)
    with pytest.raises(AccessError):
        new_version(office, REVIEWER, number, "reissue", {}, "遗失", BASIS)
    for action, changes in (
        ("correct", {}),
        ("correct", {"no_such_field": "x"}),
        ("correct", {"uscc": "92510100MA00000000"}),
        ("correct", {"scope": " "}),
        ("reissue", {"scope": "别的"}),
    ):
        with pytest.raises(InputError):
            new_version(office, APPROVER, number, action, changes, "理由", BASIS)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        new_version(office, APPROVER, number, "reissue", {}, "遗失", " ")
    change_licence(office, APPROVER, number, "revoke", "违法", BASIS)
    with pytest.raises(ConflictError):
        new_version(office, APPROVER, number, "reissue", {}, "遗失", BASIS)
    assert licence_by_number(office, number)["version"] == 1
