"""What the adapter that acts now thinks of an episode: asked in a thread, told when it is known."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from agent import logbook
from agent.errors import VlarlError

if TYPE_CHECKING:
    from pathlib import Path

    from agent.tui.episode_screen import EpisodeScreen

NAME = "ask"


def ask(screen: EpisodeScreen, folder: Path, episode: str) -> None:
    """Have an episode weighed, one at a time; the screen takes the answer if it still shows it."""
    if any(worker.name == NAME and worker.is_running for worker in screen.workers):
        screen.notify("the last question is not answered yet", severity="warning", timeout=3)
        return
    screen.notify(f"{episode}: the policy is read and asked; this takes seconds", timeout=5)

    def wait() -> None:
        worker = get_current_worker()
        try:
            found = logbook.ask(folder, episode, given_up=lambda: worker.is_cancelled)
        except VlarlError as error:
            tell = partial(screen.notify, str(error), title="not weighed", severity="error")
        else:
            tell = partial(screen.take, found)
        if not worker.is_cancelled:
            screen.app.call_from_thread(tell)

    screen.run_worker(wait, thread=True, name=NAME)
