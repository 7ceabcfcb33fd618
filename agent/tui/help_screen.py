"""Every key of the screen one was on, with what it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from agent.tui import theme

SYMBOLS = (
    ("✓ ✗ ?", "success, failure, not known"),
    ("● ○ ◌", "live, ended, not readable"),
    ("‖", "broken off: kept, never learned from"),
    ("↶ ~", "an adapter was withdrawn; an update was skipped"),
    ("✎", "a person's label"),
    ("[40, 67]", "95 % Wilson interval of a success rate, in per cent"),
)
_NAMES = {
    "question_mark": "?", "slash": "/", "pageup": "PgUp", "pagedown": "PgDn", "space": "Space",
    "up": "↑", "down": "↓", "left": "←", "right": "→", "home": "Home", "end": "End",
    "enter": "Enter", "escape": "Esc", "backspace": "Backspace", "tab": "Tab",
    "left_square_bracket": "[", "right_square_bracket": "]", "full_stop": ".", "comma": ",",
    "shift+left": "Shift+←", "shift+right": "Shift+→", "shift+tab": "Shift+Tab",
}  # fmt: skip


class HelpScreen(ModalScreen[None]):
    """The keys that work on a screen, and the symbols."""

    CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 76; max-width: 96%; height: auto; max-height: 92%;
        padding: 0 2; background: $panel; border: round $primary;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close", tooltip="close this list")
    ]

    def __init__(self, behind: Screen[object]) -> None:
        super().__init__()
        self._behind = behind

    def compose(self) -> ComposeResult:
        """One line a key."""
        chain = self._behind._modal_binding_chain
        found = [list(bindings.key_to_bindings.values()) for _, bindings in chain]
        keys = dict(pair for bindings in found for pair in told(bindings))
        lines = [Content.styled("keys", theme.HEAD)]
        lines += [_line(key, what) for key, what in keys.items()]
        lines += [Content(""), Content.styled("symbols", theme.HEAD)]
        lines += [_line(mark, what) for mark, what in SYMBOLS]
        scroll = VerticalScroll(Static(Content("\n").join(lines)))
        scroll.border_title = "help"
        yield scroll


def told(bindings: Sequence[Sequence[Binding]]) -> list[tuple[str, str]]:
    """Keys and what they do, one line an action; what says nothing of itself is left out.

    Ours have a tooltip, Textual's own have none.
    """
    by_action: dict[str, tuple[list[str], str]] = {}
    for each in (binding for some in bindings for binding in some):
        what = each.tooltip
        if what and not each.system:
            by_action.setdefault(each.action, ([], what))[0].append(key_name(each))
    return [("  ".join(dict.fromkeys(keys)), what) for keys, what in by_action.values()]


def key_name(binding: Binding) -> str:
    """How a key is called on the screen and in the documents."""
    if binding.key.startswith("ctrl+"):
        return f"Ctrl+{binding.key[5:].upper()}"
    return _NAMES.get(binding.key, binding.key)


def _line(key: str, what: str) -> Content:
    return Content.assemble((f"  {key:<16}", theme.STRONG), (what, theme.PLAIN))
