"""The committed applications: good ones, and one for each thing that goes wrong.

``python -m samples.scenarios`` draws them anew.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from samples.case import Case, food_case, make_style, trader_case
from samples.fonts import available
from samples.make import draw_case, write
from samples.people import aged_card, make_uscc

FOLDER = Path(__file__).parent / "scans"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One committed application and what must be said of it."""

    name: str
    matter: str
    seed: int
    font: str
    kind: str
    verdict: str
    findings: tuple[str, ...]
    """Codes that must be among the findings."""
    change: Callable[[Case, random.Random], None]
    family: bool = False
    dpi: float = 150.0


def _as_kiosk(case: Case, rng: random.Random) -> None:
    """A complete application whose form lies well on the glass."""
    case.damage["application", 1] = [("paper", 0.5), ("skew", 0.15), ("blur", 0.08), ("noise", 0.15)]


def _nothing(case: Case, rng: random.Random) -> None:
    """A complete application."""


def _no_phone(case: Case, rng: random.Random) -> None:
    case.forms["application"]["phone"] = ""


def _wrong_digit(case: Case, rng: random.Random) -> None:
    """The last figure of the number is one too many."""
    number = case.forms["application"]["operator_id"]
    last = "0123456789".replace(number[-1], "")[rng.randrange(9)]
    case.forms["application"]["operator_id"] = number[:-1] + last


def _other_firm(case: Case, rng: random.Random) -> None:
    assert case.firm is not None
    case.firm = replace(case.firm, name=case.firm.name.replace("样例", "样例老"), uscc=make_uscc(rng))


def _blurred(case: Case, rng: random.Random) -> None:
    case.damage["application", 1] = [("paper", 0.4), ("blur", 1.0), ("noise", 0.1)]


def _card_over(case: Case, rng: random.Random) -> None:
    case.card = aged_card(case.owner, date(2026, 3, 14))


def _unsigned(case: Case, rng: random.Random) -> None:
    case.forms["application"]["sign"] = ""


def _no_household(case: Case, rng: random.Random) -> None:
    case.household = []


def _health_over(case: Case, rng: random.Random) -> None:
    person, _ = case.health[0]
    case.health[0] = (person, date(2025, 6, 10))


def _on_its_head(case: Case, rng: random.Random) -> None:
    form = [("paper", 0.5), ("stain", 0.7), ("skew", 0.3), ("noise", 0.2), ("upside_down", 1.0)]
    case.damage["application", 1] = form
    case.damage["lease", 1] = [("paper", 0.5), ("fold", 0.8), ("copy", 0.3), ("sideways", 1.0)]


FOOD, TRADER = "food_licence", "sole_trader"
SCENARIOS = (
    Scenario("01-food-good", FOOD, 101, "long-cang", "scan", "pass", (), _as_kiosk, dpi=200.0),
    Scenario("02-trader-good", TRADER, 102, "ma-shan-zheng", "photo", "pass", (), _nothing, dpi=200.0),
    Scenario("03-food-missing-phone", FOOD, 103, "long-cang", "scan", "supplement", ("G-01",), _no_phone),
    Scenario("04-trader-wrong-check-digit", TRADER, 104, "noto-serif", "scan", "supplement", ("G-06",), _wrong_digit),
    Scenario(
        "05-food-other-firm",
        FOOD,
        105,
        "ma-shan-zheng",
        "scan",
        "supplement",
        ("FO-02-name", "FO-02-uscc"),
        _other_firm,
    ),
    Scenario("06-food-blurred", FOOD, 106, "noto-serif", "scan", "rescan", ("scan.blur",), _blurred),
    Scenario("07-trader-card-expired", TRADER, 107, "long-cang", "scan", "supplement", ("G-04-valid",), _card_over),
    Scenario("08-trader-unsigned", TRADER, 108, "ma-shan-zheng", "scan", "supplement", ("G-02",), _unsigned),
    Scenario(
        "09-family-no-household", TRADER, 109, "long-cang", "scan", "supplement", ("G-00",), _no_household, family=True
    ),
    Scenario("10-trader-on-its-head", TRADER, 110, "noto-serif", "scan", "pass", (), _on_its_head),
    Scenario("11-food-health-expired", FOOD, 111, "ma-shan-zheng", "scan", "supplement", ("FO-05",), _health_over),
    Scenario("12-family-good", TRADER, 112, "ma-shan-zheng", "scan", "pass", (), _nothing, family=True),
)


def draw(scenario: Scenario, folder: Path) -> int:
    """Draw one application into its folder; returns its bytes.

    Raises:
        ValueError: its font has not been fetched.
    """
    if not available((scenario.font,)):
        raise ValueError(f"font {scenario.font} is missing: run `python -m samples.fonts`")
    rng = random.Random(scenario.seed)
    style = make_style(scenario.font, rng)
    case = food_case(rng, style) if scenario.matter == FOOD else trader_case(rng, style, scenario.family)
    scenario.change(case, rng)
    pages = draw_case(case, rng, scenario.kind, scenario.dpi)
    write(folder / scenario.name, scenario.matter, pages, scenario.verdict, scenario.findings)
    return sum(len(page.image) for page in pages)


def main() -> int:
    """Draw them all."""
    for scenario in SCENARIOS:
        print(f"{scenario.name}: {draw(scenario, FOLDER) // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
