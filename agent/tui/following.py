"""A screen that follows the log: it reads in a thread, shows what is new, and never waits."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from agent.errors import VlarlError
from agent.tui import theme
from agent.tui.header import Header

if TYPE_CHECKING:
    from agent.tui.app import LogApp

# From this width on there is room for two columns.
WIDE: list[tuple[int, str]] = [(0, "-narrow"), (130, "-wide")]
View = TypeVar("View")
Stamp = tuple[tuple[str, int, int], ...]


class Following(Screen[None], Generic[View]):
    """One screen of the log.

    `load` runs in a thread and may take its time; `show_view` draws what it brought. While the
    screen is in front this happens again whenever the folder has changed, or the run is live.
    """

    HERE = ""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.view: View | None = None
        self._stamp: Stamp = ()
        self._live = False
        self._reading = self._again = False
        self._wrong = ""  # what was told last

    @abstractmethod
    def load(self) -> View:
        """Read what is shown here. Runs in a thread."""

    @abstractmethod
    def show_view(self, view: View) -> None:
        """Draw it."""

    @abstractmethod
    def parts(self) -> Iterable[Widget]:
        """What stands between header and footer."""

    @abstractmethod
    def heading(self, view: View) -> tuple[str, list[str], tuple[str, str]]:
        """Name, facts and state for the header."""

    def live(self) -> bool:
        """Whether what is shown may change without any file being newer: a writer may die."""
        return self._live

    def compose(self) -> ComposeResult:
        """Header, parts, footer."""
        yield Header(self.log_app.tabs, self.HERE)
        yield from self.parts()
        yield Footer(compact=True, show_command_palette=False)

    @property
    def log_app(self) -> LogApp:
        """The app, by its own type."""
        return cast("LogApp", self.app)

    def on_mount(self) -> None:
        """Begin to follow."""
        self.follow()
        self.set_interval(self.log_app.poll_s, self.follow)

    def on_screen_resume(self) -> None:
        """Catch up with what was written meanwhile."""
        self.follow()

    def follow(self) -> None:
        """Read again if there may be something new, after whatever is being read."""
        if self._reading:
            self._again = True
        elif self._in_front():
            self._reading, self._again = True, False
            self.run_worker(self._read, thread=True, name=f"read {self.HERE}")

    def _in_front(self) -> bool:
        """Whether it can be seen. Textual calls a screen below an opaque one current, too."""
        top = self.app.screen
        return top is self or (top.is_modal and self.is_current)

    def _read(self) -> None:
        stamp = stamp_of(self.folder)
        view: View | VlarlError | None = None
        if stamp != self._stamp or self.view is None or self.live():
            try:
                view = self.load()
            except VlarlError as error:
                view = error
        self.app.call_from_thread(self._arrived, view, stamp)

    def _arrived(self, view: View | VlarlError | None, stamp: Stamp) -> None:
        self._reading = False
        if not self.is_attached:
            return
        if self._again:
            self.follow()
        if view is None:
            return
        header = self.query_one(Header)
        self._stamp = stamp
        if isinstance(view, VlarlError):
            header.show(self.folder.name, [], (f"{theme.BROKEN} unreadable", theme.BAD))
            if str(view) != self._wrong:  # once, however often it is tried again
                self.show_error(str(view))
            self._wrong = str(view)
            return
        self._wrong = ""
        self.view = view
        name, known, state = self.heading(view)
        self._live = state[0].startswith(theme.LIVE)
        header.show(name, known, state)
        self.show_view(view)

    def show_error(self, what: str) -> None:
        """Tell that nothing could be read; the last view stays where there was one."""
        self.notify(what, title="cannot read the log", severity="error", timeout=20)


def stamp_of(folder: Path) -> Stamp:
    """Names, times and sizes of what lies in a folder and in those of its folders that grow."""
    return tuple(_entries(folder, depth=1))


def _entries(folder: Path, depth: int) -> Iterable[tuple[str, int, int]]:
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        # A folder may go while one looks at it; what can be read decides, not what was listed.
        return
    for entry in found:
        try:
            told = entry.stat()
        except OSError:
            continue
        yield entry.name, told.st_mtime_ns, told.st_size
        if depth and entry.is_dir() and entry.name not in {"episodes", "interrupted"}:
            yield from _entries(Path(entry.path), depth - 1)
