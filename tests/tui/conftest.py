"""Logs to look at, and a hand that presses keys."""

import asyncio
import shutil
from pathlib import Path

import pytest

from agent.store.run import create_run
from agent.tui.app import LogApp
from tests.tui.written import damage, write


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """A finished run, only to be looked at."""
    run = tmp_path_factory.mktemp("log") / "runs" / "table-1"
    write(run)
    return run


@pytest.fixture
def run(written, tmp_path):
    """The same run, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "runs" / written.name))


@pytest.fixture
def damaged(run):
    """A run with a broken file of every kind."""
    damage(run)
    return run


@pytest.fixture
def empty(tmp_path):
    """A run in which nothing has happened yet."""
    create_run(tmp_path / "runs" / "new", {"run": {"episodes": 8}}, {})
    return tmp_path / "runs" / "new"


class Hand:
    """Presses keys in an app, and reads what stands on its screen."""

    def __init__(self, app, pilot):
        self.app, self.pilot = app, pilot

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self):
        """Until every thread has told what it read, and it is drawn."""
        await self.pilot.pause()
        while any(worker.is_running for worker in self.app.workers):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()

    @property
    def screen(self):
        return self.app.screen

    @property
    def where(self):
        return type(self.app.screen).__name__

    @property
    def lines(self):
        """The text of every line on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return [strip.text for strip in strips]

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def colours(self):
        """Every colour on the screen, red, green and blue."""
        segments = [s for strip in self.app.screen._compositor.render_strips() for s in strip]
        found = [c for s in segments if s.style for c in (s.style.color, s.style.bgcolor) if c]
        return {tuple(colour.get_truecolor()) for colour in found}

    @property
    def notices(self):
        return [note.message for note in self.app._notifications]


def drive(folder, story, size=(80, 24), *, poll_s=60.0):
    """Run `story(hand)` on an app of this size."""

    async def play():
        app = LogApp(folder, poll_s=poll_s)
        async with app.run_test(size=size) as pilot:
            hand = Hand(app, pilot)
            await hand.settle()
            await story(hand)

    asyncio.run(play())


@pytest.fixture(name="drive")
def drive_():
    return drive
