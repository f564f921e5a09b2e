from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.errors import ConflictError
from docproc.lifecycle import FINAL, STATUS_ZH, TRANSITIONS, outcome, transition

STATES = sorted(STATUS_ZH)
ACTIONS = sorted({action for _, action in TRANSITIONS})


@given(st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_whatever_is_tried_an_issued_licence_was_approved_and_submitted_before(actions: list[str]) -> None:
    status, history = "draft", []
    for action in actions:
        try:
            status = transition(status, action)  # type: ignore[arg-type]
        except ConflictError:
            continue
        history.append(action)
    if status == "issued":
        assert history.index("submit") < history.index("approve") < history.index("issue")
        assert history.count("approve") == 1 + history.count("reopen")
    if "reject" in history or "withdraw" in history:
        assert history[-1] in ("reject", "withdraw")


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_moves_a_finished_application(state: str, action: str) -> None:
    with pytest.raises(ConflictError) as caught:
        transition(state, action)  # type: ignore[arg-type]
    assert STATUS_ZH[state] in caught.value.message_zh  # type: ignore[index]


def test_a_correction_round_leads_back_to_review() -> None:
    assert transition(transition("submitted", "return"), "resubmit") == "submitted"


def test_every_state_can_be_reached_and_has_a_name() -> None:
    reached = {"draft"} | set(TRANSITIONS.values())
    assert reached == set(STATES)


OPINIONS = st.lists(st.sampled_from(["approve", "return", "reject", None]), min_size=1, max_size=6)


@given(OPINIONS)
def test_all_must_agree_any_refusal_refuses_and_corrections_wait_for_everybody(opinions: list[Any]) -> None:
    found = outcome(opinions)
    assert (found == "approve") == all(item == "approve" for item in opinions)
    assert (found == "reject") == ("reject" in opinions)
    assert (found == "return") == ("return" in opinions and not {"reject", None} & set(opinions))


@given(OPINIONS, st.randoms(use_true_random=False))
def test_the_order_of_departments_does_not_matter(opinions: list[Any], random: Random) -> None:
    mixed = opinions[:]
    random.shuffle(mixed)
    assert outcome(mixed) == outcome(opinions)


@given(OPINIONS)
def test_an_outcome_is_not_changed_by_opinions_that_come_later(opinions: list[Any]) -> None:
    """Only silence turns into an opinion; what followed before still follows."""
    if outcome(opinions) is not None:
        for late in ("approve", "return"):
            assert outcome([late if item is None else item for item in opinions]) == outcome(opinions)


def test_without_departments_nothing_follows() -> None:
    assert outcome([]) is None
