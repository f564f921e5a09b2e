from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.decide import FINAL, STATUS_ZH, TRANSITIONS, transition
from docproc.errors import ConflictError

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
        assert history.count("approve") == 1
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
