"""The threshold that follows from corrections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.flow.applications.applications import correct_field, view_application
from docproc.flow.core.context import Context
from docproc.flow.review.decisions import decide
from docproc.flow.review.figures import Trust, figures
from docproc.flow.review.thresholds import FEWEST, WRONG_AT_MOST, threshold
from tests.cases import TRADER, pages
from tests.flow.people import APPROVER, REVIEWER, seen, submitted, until
from tests.flow.small_stages import paper

VALUES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=FEWEST, max_size=300)


@given(VALUES)
def test_what_is_believed_is_wrong_no_more_often_than_is_borne(reviewed: list[tuple[float, bool]]) -> None:
    found = threshold(reviewed)
    assert found is not None
    believed = [wrong for confidence, wrong in reviewed if confidence >= found]
    assert sum(believed) <= WRONG_AT_MOST * len(believed)


def test_values_that_are_never_changed_are_all_believed() -> None:
    assert threshold([(0.3, False)] * FEWEST) == 0.0


def test_the_line_is_drawn_above_the_values_that_were_changed() -> None:
    assert threshold([(0.95, False)] * 400 + [(0.805, True)] * 20) == 0.81


def test_a_field_that_is_misread_with_full_confidence_is_never_believed() -> None:
    assert threshold([(1.0, True)] * FEWEST) == 1.01


def test_few_values_say_nothing() -> None:
    assert threshold([(0.9, False)] * (FEWEST - 1)) is None


def test_the_figures_name_the_field_that_is_misread(office: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docproc.flow.review.thresholds.FEWEST", 1)
    before = _form_fields(office)
    values = {key: dict(item) for key, item in TRADER.items()}
    view = submitted(office, papers=[paper([reading], mark="trust") for reading in pages("sole_trader", values)])
    page = next(p["id"] for p in view["pages"] if p["readings"][0]["page"] == 1 and p["readings"][0]["edition"])
    correct_field(office, REVIEWER, view["number"], page, 0, "employees", "3", "misread")
    fresh = until(lambda: (v := view_application(office, REVIEWER, view["number"]))["checked"] and v)
    decide(office, REVIEWER, view["number"], "approve", seen(fresh))
    found = _form_fields(office)
    known = before["employees"].changed if "employees" in before else 0  # other tests share the office
    assert found["employees"].changed == known + 1 and found["employees"].threshold > 0.99
    assert found["employees"].edition == "2026-05"
    others = {name: item.changed for name, item in found.items() if name != "employees"}
    assert others == {name: item.changed for name, item in before.items() if name != "employees"}, "nobody changed them"


def _form_fields(office: Context) -> dict[str, Trust]:
    return {item.field: item for item in figures(office, APPROVER).trust if item.material == "application"}
