"""The terminal app: which screens there are, and how one gets from one to the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from agent.tui import theme
from agent.tui.adapters_screen import AdaptersScreen
from agent.tui.episode_screen import EpisodeScreen
from agent.tui.episodes_screen import EpisodesScreen
from agent.tui.events_screen import EventsScreen
from agent.tui.help_screen import HelpScreen
from agent.tui.reward_screen import RewardScreen
from agent.tui.run_screen import RunScreen
from agent.tui.runs_screen import RunsScreen

if TYPE_CHECKING:
    from agent.tui.following import Following

POLL_S = 1.5
SCREENS: dict[str, type[Following[Any]]] = {
    "runs": RunsScreen,
    "run": RunScreen,
    "episodes": EpisodesScreen,
    "adapters": AdaptersScreen,
    "reward": RewardScreen,
    "log": EventsScreen,
}
ABOUT = {
    "runs": "all runs of the folder",
    "run": "is it getting better: success, updates, safety",
    "episodes": "every episode in a table",
    "adapters": "what was learned from what, which one acts",
    "reward": "how far the judge can be trusted",
    "log": "what happened when",
}


class LogApp(App[None]):
    """Shows a run, or a folder of runs."""

    TITLE = "vlarl-agent"
    CSS = """
    Screen { background: $background; color: $foreground; }
    VerticalScroll {
        scrollbar-size-vertical: 1; scrollbar-color: $panel-lighten-2;
        scrollbar-color-hover: $primary; scrollbar-color-active: $primary;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    Footer { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *[
            Binding(str(number), f"go('{name}')", name, show=False, tooltip=ABOUT[name])
            for number, name in enumerate(SCREENS)
        ],
        Binding("escape", "back", "back", tooltip="one step back"),
        Binding("backspace", "back", show=False, tooltip="one step back"),
        Binding("question_mark", "help", "help", key_display="?", tooltip="this list of keys"),
        Binding("q,ctrl+q", "quit", "quit", key_display="q", tooltip="leave; a live run goes on"),
        Binding("ctrl+p", "command_palette", show=False, tooltip="find a command by its name"),
    ]

    def __init__(self, folder: Path, *, poll_s: float = POLL_S) -> None:
        super().__init__()
        self.poll_s = poll_s
        alone = (folder / "run.json").is_file()
        self.parent_folder = folder.absolute().parent if alone else folder
        self.folder: Path | None = folder if alone else None
        self._made: dict[str, Following[Any]] = {}
        self.register_theme(theme.DARK)
        self.register_theme(theme.LIGHT)
        self.theme = theme.DARK.name

    @property
    def tabs(self) -> dict[str, str]:
        """The screens with the keys that lead to them."""
        return {name: str(number) for number, name in enumerate(SCREENS)}

    def on_mount(self) -> None:
        """Begin with the run, or with the list of runs."""
        self.action_go("run" if self.folder else "runs")

    def open_run(self, folder: Path) -> None:
        """Show another run."""
        if folder != self.folder:
            self.folder = folder
            for name in [name for name in self._made if name != "runs"]:
                self.uninstall_screen(name)
                del self._made[name]
        self.action_go("run")

    def open_episode(self, episode_id: str, order: Sequence[str] = ()) -> None:
        """Show one episode above the screen in front; order: of the episodes around it."""
        if self.folder is not None:
            self.push_screen(EpisodeScreen(self.folder, episode_id, order))

    def action_go(self, name: str) -> None:
        """Bring a screen to the front; each keeps what was chosen in it."""
        if name != "runs" and self.folder is None:
            self.notify("choose a run first", severity="warning")
            return
        if isinstance(self.screen, ModalScreen):
            return
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if name not in self._made:
            where = self.folder if name != "runs" and self.folder else self.parent_folder
            self._made[name] = SCREENS[name](where)
            self.install_screen(self._made[name], name)
        if len(self.screen_stack) < 2:
            self.push_screen(name)
        elif self.screen is not self._made[name]:
            self.switch_screen(name)

    async def action_back(self) -> None:
        """Close what lies on top; from a screen of a run go to the run, from there to the runs."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        elif isinstance(self.screen, RunScreen):
            self.action_go("runs")
        elif not isinstance(self.screen, RunsScreen):
            self.action_go("run")

    def action_help(self) -> None:
        """List the keys."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette finds besides Textual's own."""
        yield from super().get_system_commands(screen)
        for name, about in ABOUT.items():
            yield SystemCommand(f"go to {name}", about, lambda name=name: self.action_go(name))
