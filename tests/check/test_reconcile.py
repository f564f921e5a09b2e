"""Papers of one application that must say the same speak for each other, never against what was read for certain."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.check.certainty import SURE
from docproc.check.check import LOOK
from docproc.check.reconcile import join
from docproc.domain import GOOD, Field, PageReading
from docproc.matter.load import find_matter

MATTER = find_matter("sole_trader")
NAMES = ["周信海", "周信诲", "周倍海", "吴信海"]


def field(name: str, value: str | None, confidence: float, *rivals: tuple[str, float]) -> Field:
    return Field(name, value, value or "", confidence, None, 1, "ocr", tuple(v for v, _ in rivals), rivals)


def papers(form: Field, card: Field) -> list[PageReading]:
    """The first page of the form and the front of the card."""
    pages = [("application", "registered", form), ("idcard", "free", card)]
    return [PageReading("page.jpg", 0, kind, how, GOOD, {item.name: item}) for kind, how, item in pages]


def joined(form: Field, card: Field) -> tuple[Field, Field]:
    form_page, card_page = join(MATTER, papers(form, card))
    return form_page.fields[form.name], card_page.fields[card.name]


def test_a_name_left_open_is_what_the_card_says_where_the_ink_allows_it() -> None:
    near = field("operator", None, 0.3, ("周信诲", 0.0), ("周信海", 0.8), ("吴信海", 2.0))
    form, card = joined(near, field("name", "周信海", 0.97))
    assert (form.value, form.source, form.raw) == ("周信海", "repair", "")
    assert form.confidence >= LOOK
    assert card == field("name", "周信海", 0.97)


@pytest.mark.parametrize(
    ("rivals", "card", "why"),
    [
        ((("周信诲", 0.0), ("吴信海", 2.0)), field("name", "周信海", 0.97), "the ink says something else"),
        ((("周信诲", 0.0), ("周信海", 6.0)), field("name", "周信海", 0.97), "it comes nowhere near"),
        ((("周信诲", 0.0), ("周信海", 0.8)), field("name", "周信海", 0.6), "the card is in doubt itself"),
        ((), field("name", "周信海", 0.97), "struck out: nothing is relied on"),
    ],
)
def test_a_name_stays_open_otherwise(rivals: tuple, card: Field, why: str) -> None:
    form = field("operator", None, 0.3, *rivals)
    assert joined(form, card) == (form, card), why


def test_it_works_both_ways_and_for_codes() -> None:
    number = "510116198603120035"
    form, card = joined(
        field("operator_id", number, 0.96), field("cid", None, 0.4, ("510116198603120085", 0.0), (number, 1.5))
    )
    assert card.value == number and card.confidence >= LOOK
    assert form.value == number


def test_the_same_value_becomes_surer() -> None:
    form, _ = joined(field("operator", "周信海", 0.5), field("name", "周信海", 0.9))
    assert form.confidence == pytest.approx(0.95)
    assert form.source == "ocr"


def test_what_was_read_for_certain_stays_though_the_card_says_otherwise() -> None:
    form = field("operator", "周信诲", 0.93, ("周信诲", 0.0), ("周信海", 0.1))
    assert joined(form, field("name", "周信海", 0.99))[0] == form


def test_what_a_person_entered_speaks_for_the_other_paper() -> None:
    entered = replace(field("name", "周信海", 1.0), source="person")
    form, _ = joined(field("operator", None, 0.3, ("周信诲", 0.0), ("周信海", 0.8)), entered)
    assert form.value == "周信海"


def test_a_rule_that_does_not_apply_joins_nothing() -> None:
    """A licence of a firm is held against the form only by matters whose rules say so."""
    form = field("name", None, 0.3, ("样例店", 0.0), ("样列店", 0.5))
    card = field("authority", "样列店", 0.99)
    assert joined(form, card) == (form, card)


fields = st.builds(
    field,
    st.just("operator"),
    st.one_of(st.none(), st.just(""), st.sampled_from(NAMES)),
    st.floats(0, 1),
    *[st.tuples(st.sampled_from(NAMES), st.floats(0, 12)) for _ in range(2)],
)


@given(fields, fields.map(lambda item: replace(item, name="name")))
def test_nothing_is_invented_and_nothing_certain_is_changed(form: Field, card: Field) -> None:
    for before, after, other in zip((form, card), joined(form, card), (card, form), strict=True):
        said = {before.value, *(value for value, _ in before.rivals)}
        assert after.value in said, "only what the paper itself may say"
        if before.confidence >= SURE or before.value == "":
            assert after == before
        if after.value != before.value:
            assert after.value == other.value and after.confidence >= SURE
        assert after.confidence >= min(before.confidence, SURE)


def test_the_order_of_pages_and_all_else_stay() -> None:
    pages = papers(field("operator", None, 0.2), field("name", "周信海", 0.97))
    unknown = PageReading("other.jpg", 0, None, "free", GOOD, {})
    assert join(MATTER, [pages[1], unknown, pages[0]]) == [pages[1], unknown, pages[0]]
