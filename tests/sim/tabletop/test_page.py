"""docs/tabletop.md, against the world it describes."""

from pathlib import Path

from agent.cli.build import USUAL_SHIFT
from sim.shifting.cards import table
from sim.tabletop.catalog import CARDS, START_STATES
from sim.tabletop.shifts import SHIFTS

PAGE = (Path(__file__).parents[3] / "docs" / "tabletop.md").read_text()


def test_the_page_has_the_table_of_shifts():
    assert table(SHIFTS) in PAGE


def test_the_page_has_every_task_with_its_words_and_horizon():
    rows = [line for line in PAGE.split("## Tasks")[1].split("## ")[0].splitlines() if "`" in line]
    told = [row for row in rows if row.startswith("|")]
    assert told == [f"| `{c.name}` | {c.instruction} | {c.horizon_steps} |" for c in CARDS]


def test_the_page_has_the_split_of_the_start_states():
    for card in CARDS:
        assert card.train == tuple(range(40))
        assert card.gate == tuple(range(40, 50))
        assert card.held_out == tuple(range(50, 100))
    assert f"{START_STATES} stored start states: 0-39" in PAGE


def test_the_page_names_the_shift_of_a_bare_run():
    said = ",".join(f"{name}={strength:g}" for name, strength in USUAL_SHIFT["tabletop"].items())
    assert f"rehearses `{said}`" in PAGE
