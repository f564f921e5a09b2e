from __future__ import annotations

import pytest

from docproc.read.decoding.confusions import differs_in_digits


@pytest.mark.parametrize(
    ("value", "other", "differs"),
    [
        ("金河路26号", "金河路126号", True),
        ("金河路26号", "金河路口26号", True),  # what reads as 口 may be a 1
        ("口26", "26", False),  # a character less: nothing is unexplained
        ("金河路26号", "金河路26号旁", False),  # not beside the number
        ("金河路26号", "金沟路26号", False),
        ("2楼", "22楼", True),
        ("A座", "", False),
    ],
)
def test_a_number_is_another_with_other_figures_or_a_character_more_beside_it(
    value: str, other: str, differs: bool
) -> None:
    assert differs_in_digits(value, other) is differs
