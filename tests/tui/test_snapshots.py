"""What every screen looks like, as text, held against files; SNAPSHOTS=write makes them anew."""

import os
import re
from pathlib import Path

import pytest

from tests.tui.conftest import drive

KEPT = Path(__file__).parent / "snapshots"
SIZES = {"80x24": (80, 24), "200x60": (200, 60)}
# What differs from day to day and from disk to disk, with what stands for it.
CHANGING = (
    (re.compile(r"\b\d\d-\d\d \d\d:\d\d:\d\d\b"), "MM-DD hh:mm:ss"),
    (re.compile(r"(on disk +|disk free +)[\d.]+ [kMGT]?B *"), r"\1SIZE"),
)
STORY = (
    ("runs", ["0"]),
    ("run", ["1"]),
    ("run-below", ["pagedown"]),
    ("episodes", ["2"]),
    ("episode", ["enter", "right", "right", "right"]),
    ("episode-zoomed", ["z"]),
    ("episode-last", ["z", "end"]),
    ("adapters", ["3"]),
    ("compared", ["c"]),
    ("reward", ["4"]),
    ("log", ["5"]),
    ("help", ["question_mark"]),
)


def settled(lines):
    """The text of a screen without what changes by itself."""
    text = "\n".join(lines)
    for pattern, stand_in in CHANGING:
        text = pattern.sub(stand_in, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def walk(folder, size):
    """The text of every screen at one size."""
    seen = {}

    async def story(hand):
        for name, keys in STORY:
            await hand.press(*keys)
            seen[name] = (settled(hand.lines), max(len(line) for line in hand.lines))

    drive(folder, story, size)
    return seen


@pytest.fixture(scope="module")
def walks(written):
    return {name: walk(written, size) for name, size in SIZES.items()}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", [name for name, _ in STORY])
def test_a_screen_looks_as_it_did(walks, screen, size):
    found, _ = walks[size][screen]
    path = KEPT / f"{screen}-{size}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(found)
    assert found == path.read_text()


@pytest.mark.parametrize("size", SIZES)
def test_no_screen_is_wider_or_higher_than_the_terminal(walks, size):
    width, height = SIZES[size]
    for text, widest in walks[size].values():
        assert widest == width
        assert len(text.splitlines()) <= height


def test_without_colour_every_screen_says_the_same_in_greys(written, walks, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    seen, colours = {}, set()

    async def story(hand):
        for name, keys in STORY:
            await hand.press(*keys)
            seen[name] = settled(hand.lines)
            colours.update(hand.colours)

    drive(written, story)
    assert len(colours) > 5
    assert [each for each in colours if len(set(each)) > 1] == []
    # the pictures alone are drawn otherwise: brightness as characters
    same = [name for name, _ in STORY if not name.startswith("episode-") and name != "episode"]
    assert {name: seen[name] for name in same} == {name: walks["80x24"][name][0] for name in same}
    assert "▀" in walks["80x24"]["episode"][0]
    assert "▀" not in seen["episode"]
