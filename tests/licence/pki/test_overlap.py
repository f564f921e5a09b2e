"""No two roots vouch for one authority, and none but our own for us."""

from __future__ import annotations

import json
from datetime import date

import pytest

from docproc.licence.devpki.pki import AUTHORITY_CODE
from docproc.licence.pki.overlap import covers_own, narrowed, shared
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.trust_limits import Anchor

OWN = AUTHORITY_CODE


def root(name: str, *codes: str, **limits: object) -> Anchor:
    return Anchor(f"{name}-sha256", name, codes, **limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [OWN, OWN[:6], OWN[:1]])
def test_a_beginning_of_our_own_code_covers_us(code: str) -> None:
    assert covers_own(root("邻市", "113400", code), OWN)
    assert not narrowed([root("邻市", "113400", code)], OWN)[0].vouches_for(OWN)


def test_another_code_does_not() -> None:
    neighbour = root("邻市", "113400", f"{OWN[:-1]}{'0' if OWN[-1] != '0' else '1'}")
    assert not covers_own(neighbour, OWN) and not covers_own(neighbour, "")
    assert narrowed([neighbour], OWN) == (neighbour,)
    assert not covers_own(root("", OWN), OWN), "our own root vouches for us"
    assert not covers_own(root("时间戳", OWN, use=("timestamp",)), OWN)


@pytest.mark.parametrize(("one", "other"), [("1134", "113401"), ("113401", "1134"), ("1134", "1134")])
def test_two_roots_share_what_begins_alike_whichever_is_longer(one: str, other: str) -> None:
    assert shared(root("甲", "12", one), root("乙", other, "99")) == max(one, other, key=len)


def test_two_roots_that_are_never_trusted_on_one_day_share_nothing() -> None:
    former = root("甲", "1134", valid_to=date(2026, 12, 31))
    assert shared(former, root("甲的新根", "1134", valid_from=date(2027, 1, 1))) == ""
    assert shared(former, root("甲的新根", "1134", valid_from=date(2026, 12, 31))) == "1134"


def test_of_two_that_overlap_the_narrower_counts_and_of_equals_the_earlier() -> None:
    wide, narrow, late = narrowed([root("省", "1134"), root("市", "113401"), root("后来", "113401", "1135")], OWN)
    assert [item.vouches_for("11340122") for item in (wide, narrow, late)] == [False, True, False]
    assert wide.vouches_for("11349922") and late.vouches_for("11350000")


def test_a_root_keeps_what_it_names_in_more_detail_than_the_other() -> None:
    one, other = narrowed([root("甲", "1134", "11340155"), root("乙", "113401")], OWN)
    assert (one.vouches_for("1134015500"), other.vouches_for("1134015500")) == (True, False)
    assert (one.vouches_for("1134010000"), other.vouches_for("1134010000")) == (False, True)


def test_the_child_that_reads_a_file_is_told(trust: TrustList) -> None:
    from dataclasses import replace

    told = replace(trust, anchors=(root("邻市", OWN[:6]),)).narrowed(OWN)
    again = TrustList.from_json(json.loads(json.dumps(told.to_json())))
    assert again.anchors == told.anchors and not again.anchors[0].vouches_for(OWN)
