"""docs/tui.md against the app: the keys it promises are the keys there are."""

import re
from pathlib import Path

from agent.tui.adapters_screen import AdaptersScreen
from agent.tui.app import LogApp
from agent.tui.episode_screen import EpisodeScreen
from agent.tui.episodes_screen import EpisodesScreen
from agent.tui.help_screen import told
from agent.tui.table import Table

PAGE = Path(__file__).parents[2] / "docs" / "tui.md"
PLACES = {
    "everywhere": LogApp,
    "tables": Table,
    "episodes": EpisodesScreen,
    "one episode": EpisodeScreen,
    "adapters": AdaptersScreen,
}


def key_rows():
    """Where, key and what it does, as the app has them."""
    return [
        (place, f"`{keys.replace('  ', '` `')}`", what)
        for place, owner in PLACES.items()
        for keys, what in told([[each] for each in bound(owner)])
    ]


def bound(owner):
    """The bindings of one class, one a key."""
    made = owner._merged_bindings if owner._merged_bindings else owner._merge_bindings()
    known = {action for each in owner.BINDINGS for action in [each.action]}
    listed = [binding for some in made.key_to_bindings.values() for binding in some]
    return [binding for binding in listed if binding.action in known]


def test_the_page_lists_the_keys_there_are():
    section = PAGE.read_text().split("## Keys\n", 1)[1]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    assert [tuple(row) for row in rows[2:]] == key_rows()


def test_every_binding_says_what_it_does():
    for owner in PLACES.values():
        assert all(each.tooltip for each in bound(owner)), owner


def test_the_pictures_of_the_page_fetch_nothing_and_name_no_place():
    found = re.findall(r"\((images/[\w-]+\.svg)\)", PAGE.read_text())
    assert len(found) == 4
    for name in found:
        text = (PAGE.parent / name).read_text()
        assert len(text) < 400_000
        assert "url(http" not in text
        assert "/tmp/" not in text
