"""Single papers: older business licences and food licences."""

from __future__ import annotations

from docproc.fields import validate
from docproc.matter.load import find_matter
from samples.case import TODAY
from samples.singles import MATTER, make_singles


def test_the_same_seed_gives_the_same_papers_and_another_seed_others() -> None:
    assert make_singles(5) == make_singles(5)
    assert make_singles(5)[0].truth.fields != make_singles(6)[0].truth.fields


def test_every_value_is_admitted_by_its_type() -> None:
    matter = find_matter(MATTER)
    for page in make_singles(7, "clean"):
        types = {spec.name: spec.type for spec in matter.fields_of(page.truth.material)}
        for name, raw in page.truth.raw.items():
            kind = "regno" if types[name] == "uscc" and len(raw) == 15 else types[name]
            assert validate(kind, raw, today=TODAY).ok, (page.name, name)
