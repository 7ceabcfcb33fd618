"""The picture of a run in the terminal, and what is said while it is drawn."""

import io
import logging
import sys

import pytest
from rich.console import Console

from agent.cli.screen import Screen, Seen
from agent.cli.talk import Talk
from agent.settings import Settings


class Stderr(io.StringIO):
    """A stderr that is a terminal or a file."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def said_while_drawing(monkeypatch, *, terminal: bool) -> tuple[str, str]:
    """What the picture's console and stderr show of a prompt."""
    drawn, stderr = io.StringIO(), Stderr(terminal=terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    record = logging.LogRecord("bridges", logging.WARNING, "", 0, "press r", None, None)
    talk = Talk()
    with Screen(Console(file=drawn, force_terminal=True), Seen(Settings(), "runs/one")):
        talk.handle(record)
    talk.handle(record)
    return drawn.getvalue(), stderr.getvalue()


def test_a_prompt_is_written_above_the_picture_and_not_painted_over(monkeypatch):
    drawn, stderr = said_while_drawing(monkeypatch, terminal=True)
    assert drawn.count("press r") == 1
    assert stderr == "press r\n"  # after the picture


def test_talk_that_goes_to_a_file_stays_there(monkeypatch):
    drawn, stderr = said_while_drawing(monkeypatch, terminal=False)
    assert "press r" not in drawn
    assert stderr == "press r\npress r\n"


@pytest.mark.parametrize("broken", [ValueError("closed"), OSError("gone")])
def test_a_stderr_that_cannot_be_written_to_ends_nothing(monkeypatch, broken):
    def write(_text):
        raise broken

    stderr = Stderr(terminal=False)
    monkeypatch.setattr(stderr, "write", write)
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    Talk().handle(logging.LogRecord("bridges", logging.INFO, "", 0, "words", None, None))
