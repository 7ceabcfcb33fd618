"""What a person says of an episode: typed on a screen, kept by the logbook, never in its way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Label

from agent import logbook
from agent.errors import VlarlError

if TYPE_CHECKING:
    from pathlib import Path

KEYS: list[BindingType] = [
    Binding("s", "label('success')", "success", tooltip="label the episode a success"),
    Binding("f", "label('failure')", "failure", tooltip="label the episode a failure"),
    Binding("n", "note", "note", tooltip="write a note on the episode"),
]


class NoteScreen(ModalScreen[str]):
    """One line to type; escape gives it up."""

    CSS = """
    NoteScreen { align: center middle; }
    NoteScreen Vertical {
        width: 72; max-width: 90%; height: auto; padding: 1 2;
        background: $panel; border: round $primary;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "give up", tooltip="close without keeping it")
    ]

    def __init__(self, episode: str) -> None:
        super().__init__()
        self._episode = episode

    def compose(self) -> ComposeResult:
        """A line with its title."""
        with Vertical():
            yield Label(f"note on episode {self._episode}: enter keeps it, escape gives it up")
            yield Input(max_length=2000, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the note over."""
        self.dismiss(event.value)


def keep(screen: Screen[None], folder: Path, episode: str, kind: str, text: str = "") -> None:
    """Keep a label in a thread; tell what became of it, then let the screen read again."""

    def write() -> None:
        try:
            made = logbook.label(folder, episode, kind, text)
        except VlarlError as error:
            tell = partial(screen.notify, str(error), title="not kept", severity="error")
        else:
            said = f"note: {made.text}" if kind == "note" else kind
            tell = partial(screen.notify, f"{episode}: {said}", title="kept", timeout=3)
        screen.app.call_from_thread(tell)
        screen.app.call_from_thread(cast("partial[None]", screen.follow))  # type: ignore[attr-defined]

    screen.run_worker(write, thread=True, name=f"label {episode}")


def ask(screen: Screen[None], folder: Path, episode: str) -> None:
    """Ask for a note and keep it."""

    def take(text: str | None) -> None:
        if text and text.strip():
            keep(screen, folder, episode, "note", text)

    screen.app.push_screen(NoteScreen(episode), take)
