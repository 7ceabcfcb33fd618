"""One episode from the inside: its pictures, and what was decided, done and learned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from agent import logbook
from agent.episode import Uint8Array
from agent.errors import VlarlError
from agent.logbook import Asked, EpisodeView, Frames, RunView
from agent.tui import asking, labelling
from agent.tui import episode_facts as facts
from agent.tui.episode_grids import GRIDS, known
from agent.tui.episode_tracks import tracks
from agent.tui.following import WIDE, Following
from agent.tui.frame import FrameView
from agent.tui.panel import Panel
from agent.tui.run_facts import heading
from agent.tui.tracks import Tracks

View = tuple[RunView, EpisodeView]
SHORTEST_S, LONGEST_S = 0.1, 1.0  # a picture stays on the screen while playing
PAGE = 10  # views that a page key moves
CAMERAS = 4  # shown side by side, at most


class EpisodeScreen(Following[View]):
    """Pictures and the decision above, tracks below; the arrow keys go through the views."""

    HERE = "episodes"
    CSS = """
    EpisodeScreen #title { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    EpisodeScreen #slider { height: 1; padding: 0 1; text-wrap: nowrap; }
    EpisodeScreen #middle { height: 12fr; min-height: 6; }
    EpisodeScreen Tracks { height: 7fr; }
    EpisodeScreen FrameView { margin-right: 1; }
    EpisodeScreen #decision { width: 38; }
    EpisodeScreen.-wide #decision { width: 2fr; }
    EpisodeScreen.-wide #middle { height: 13fr; }
    EpisodeScreen.-large Tracks, EpisodeScreen.-large #decision { display: none; }
    """
    HORIZONTAL_BREAKPOINTS = WIDE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "back", show=False, tooltip="the view before"),
        Binding("right,l", "move(1)", "on", show=False, tooltip="the next view"),
        Binding("pageup,shift+left", f"move(-{PAGE})", show=False, tooltip=f"{PAGE} views back"),
        Binding("pagedown,shift+right", f"move({PAGE})", show=False, tooltip=f"{PAGE} views on"),
        Binding("home,g", "end(False)", show=False, tooltip="the first view"),
        Binding("end,G", "end(True)", show=False, tooltip="the last view"),
        Binding("space", "play", "play", tooltip="play, or stop playing"),
        Binding("a", "grid", "table", tooltip="asked, done, difference, ratio, log-probability"),
        Binding("w", "weigh", "weigh", tooltip="weigh its tokens by the adapter that acts now"),
        Binding("z", "large", "zoom", show=False, tooltip="pictures alone, as large as fits"),
        Binding("left_square_bracket", "neighbour(-1)", show=False, tooltip="the episode before"),
        Binding("right_square_bracket", "neighbour(1)", show=False, tooltip="the next episode"),
        *labelling.KEYS,
    ]

    def __init__(self, folder: Path, episode: str, order: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self.episode, self._order = episode, tuple(order)
        self.index = 0
        self.grid = 0
        self.painted = 0  # pictures shown so far
        self._count = 0  # views there were when they were last read
        self._asked: Asked | None = None
        self._frames: tuple[str, Frames] | None = None
        self._fetching = False
        self._playing: Timer | None = None

    def parts(self) -> Iterable[Widget]:
        """Title, pictures and decision, slider, tracks."""
        yield Static("", id="title")
        cameras = [FrameView(id=f"camera-{number}") for number in range(CAMERAS)]
        yield Horizontal(*cameras, Panel("decision", id="decision"), id="middle")
        yield Static("", id="slider")
        yield Tracks()

    def load(self) -> View:
        """Run and episode, with what was asked about it."""
        found = logbook.episode(self.folder, self.episode)
        asked = self._asked if self._asked and self._asked.episode == self.episode else None
        return logbook.run(self.folder), replace(found, asked=asked)

    def heading(self, view: View) -> tuple[str, list[str], tuple[str, str]]:
        """Of the run."""
        return heading(view[0])

    def show_view(self, view: View) -> None:
        """Draw all of it; who stands at the end of a running episode stays at its end."""
        seen = view[1].seen
        if self._count and self.index == self._count - 1 and view[1].status == "running":
            self.index = 1 << 30
        self._count = 0 if seen is None else seen.tracks.views
        self.query_one("#title", Static).update(facts.title(view[1]), layout=False)
        count = 0 if seen is None else seen.tracks.decisions
        self.query_one(Tracks).show(tracks(view[1]), count)
        for number, frame in enumerate(self.query(FrameView)):
            frame.display = number < max(1, len(view[1].cameras))
        self.move_to(self.index)

    def move_to(self, index: int) -> None:
        """Bring a view to the screen."""
        if self.view is None:
            return
        view = self.view[1]
        views = 0 if view.seen is None else view.seen.tracks.views
        self.index = max(0, min(index, views - 1))
        self.query_one(Tracks).point(self.index)
        playing = self._playing is not None
        width = self.query_one("#slider", Static).content_size.width
        self.query_one("#slider", Static).update(
            facts.slider(view, self.index, width, playing=playing), layout=False
        )
        panel = self.query_one("#decision", Panel)
        count = 0 if view.seen is None else view.seen.tracks.decisions
        last = self.index >= count
        panel.show(
            lambda w, h: facts.decision(view, self.index, self.grid, w, h),
            "" if last else f"{self.index + 1} of {count}",
        )
        self._fetch()

    def on_resize(self) -> None:
        """The slider is as long as the screen is wide."""
        self.call_after_refresh(self.move_to, self.index)

    def _fetch(self) -> None:
        """Have the pictures of this view read in a thread, after those that are being read."""
        if self._fetching:
            return
        self._fetching, wanted = True, (self.episode, self.index)

        def read() -> None:
            self.app.call_from_thread(self._paint, wanted, self._pictures(*wanted))

        self.run_worker(read, thread=True, name="pictures")

    def _pictures(self, episode: str, index: int) -> list[tuple[str, Uint8Array | None, str]]:
        try:
            if self._frames is None or self._frames[0] != episode:
                self._frames = episode, Frames(self.folder, episode)
            frames = self._frames[1]
        except VlarlError as error:
            return [("", None, str(error))]
        found = list[tuple[str, Uint8Array | None, str]]()
        for camera in frames.cameras[:CAMERAS]:
            try:
                found.append((camera, frames.frame(camera, index), ""))
            except VlarlError as error:
                found.append((camera, None, f"! {error}"))
        return found or [("", None, "no camera was recorded")]

    def _paint(
        self, shown: tuple[str, int], pictures: list[tuple[str, Uint8Array | None, str]]
    ) -> None:
        self._fetching = False
        if not self.is_attached:
            return
        if shown != (self.episode, self.index):
            self._fetch()  # what was wanted meanwhile: views in between are left out
        for frame, (camera, image, note) in zip(self.query(FrameView), pictures, strict=False):
            frame.show(camera, image, note)
        self.painted += 1

    def action_move(self, by: int) -> None:
        """Go some views on."""
        self.move_to(self.index + by)

    def action_end(self, last: bool) -> None:  # noqa: FBT001  Textual calls it so
        """Go to the first or the last view."""
        self.move_to(1 << 30 if last else 0)

    def action_play(self) -> None:
        """Play from here, from the start when at the end; or stop."""
        if self._playing is not None:
            self._stop()
        elif self.view is not None and self.view[1].seen is not None:
            if self.index >= self.view[1].seen.tracks.views - 1:
                self.move_to(0)
            self._playing = self.set_timer(SHORTEST_S, self._next)
            self.move_to(self.index)

    def _next(self) -> None:
        if self.view is None or self.view[1].seen is None or self._playing is None:
            return
        found = self.view[1].seen.tracks
        self.move_to(self.index + 1)
        if self.index >= found.views - 1:
            self._stop()
            return
        wait_s = float(np.nan_to_num(found.time_s[self.index + 1] - found.time_s[self.index]))
        self._playing = self.set_timer(min(max(wait_s, SHORTEST_S), LONGEST_S), self._next)

    def _stop(self) -> None:
        if self._playing is not None:
            self._playing.stop()
        self._playing = None
        self.move_to(self.index)

    def action_grid(self) -> None:
        """Show the next table of the decision."""
        if self.view is not None:
            self.grid = (self.grid + 1) % known(self.view[1])
        self.move_to(self.index)

    def action_weigh(self) -> None:
        """Ask the adapter that acts now how likely it finds what was decided."""
        asking.ask(self, self.folder, self.episode)

    def take(self, found: Asked) -> None:
        """Show what it answered."""
        self._asked = found
        self.notify(f"{found.episode}: {found.adapter} against {found.acted}", title="weighed")
        if self.view is not None and found.episode == self.episode:
            self.grid = GRIDS.index("by now")
            self.view = self.view[0], replace(self.view[1], asked=found)
            self.show_view(self.view)

    def action_large(self) -> None:
        """Pictures alone, or all of it."""
        self.toggle_class("-large")

    def action_neighbour(self, by: int) -> None:
        """Open the episode before or after this one, in the order of the table."""
        if self.episode in self._order:
            at = self._order.index(self.episode) + by
            if 0 <= at < len(self._order):
                self._stop()
                self.episode, self.index, self._count = self._order[at], 0, 0
                self.grid = min(self.grid, GRIDS.index("by now") - 1)
                self.view, self._stamp = None, ()
                self.follow()

    def on_tracks_pointed(self, event: Tracks.Pointed) -> None:
        """Go to the decision that was clicked."""
        self.move_to(event.index)

    def action_label(self, kind: str) -> None:
        """Label the episode."""
        labelling.keep(self, self.folder, self.episode, kind)

    def action_note(self) -> None:
        """Write a note on it."""
        labelling.ask(self, self.folder, self.episode)
