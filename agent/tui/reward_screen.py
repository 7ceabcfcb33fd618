"""How far the judge can be trusted: its verdicts, its odds, and what nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Container, VerticalScroll
from textual.widget import Widget

from agent import logbook
from agent.logbook import Confusion, RewardView, RunView
from agent.tui import theme
from agent.tui.figures import NONE, bar, cut, moment, number
from agent.tui.following import WIDE, Following
from agent.tui.panel import Line, Panel, pairs, wrapped
from agent.tui.run_facts import heading, told
from agent.tui.run_facts import judge as health

View = tuple[RunView, RewardView]
PANELS = (
    ("health", "judge"),
    ("confusion", "verdict against the truth"),
    ("calibration", "said probability against what came"),
    ("probes", "probes: the judge on known material"),
    ("notes", "what is not known"),
)


class RewardScreen(Following[View]):
    """Panels below each other, or in two columns where there is room."""

    HERE = "reward"
    CSS = """
    RewardScreen #page { layout: vertical; }
    RewardScreen .column, RewardScreen Panel { height: auto; }
    RewardScreen Panel { margin-bottom: 1; }
    RewardScreen.-wide #page { layout: horizontal; }
    """
    HORIZONTAL_BREAKPOINTS = WIDE

    def parts(self) -> Iterable[Widget]:
        """The panels."""
        panels = [Panel(title, id=name) for name, title in PANELS]
        yield VerticalScroll(
            Container(*panels[:2], panels[4], classes="column"),
            Container(*panels[2:4], classes="column"),
            id="page",
        )

    def on_mount(self) -> None:
        """Begin where the arrow keys turn the page."""
        super().on_mount()
        self.query_one("#page").focus()

    def load(self) -> View:
        """Run and judge."""
        return logbook.run(self.folder), logbook.reward(self.folder)

    def heading(self, view: View) -> tuple[str, list[str], tuple[str, str]]:
        """Of the run."""
        return heading(view[0])

    def show_view(self, view: View) -> None:
        """Draw every panel."""
        run, found = view
        self._panel("health").show(lambda w, _: [*health(run, w), *_disagreed(found, w)])
        self._panel("confusion").show(lambda w, _: _confusions(found, w))
        brier = "" if found.brier is None else f"Brier score {found.brier:.3f}"
        self._panel("calibration").show(lambda w, _: _calibration(found, w), brier)
        self._panel("probes").show(lambda w, _: _probes(found, w))
        self._panel("notes").show(lambda w, _: _notes(found, w))

    def _panel(self, name: str) -> Panel:
        return self.query_one(f"#{name}", Panel)


def _disagreed(found: RewardView, width: int) -> list[Line]:
    if not found.disagreed:
        return []
    return pairs([("differs in", (cut(", ".join(found.disagreed), width - 12), theme.CARE))], width)


def _confusions(found: RewardView, width: int) -> list[Line]:
    known = [each for each in (found.labels, found.world) if each is not None]
    if not known:
        return [[("nothing to hold the verdicts against", theme.QUIET)]]
    lines = list[Line]()
    for each in known:
        if lines:
            lines.append([])
        lines += _confusion(each, width)
    return lines


def _confusion(each: Confusion, width: int) -> list[Line]:
    truth = "a person's label" if each.against == "labels" else "the world's own ending"
    rows = (
        ("said success", each.true_success, each.false_success),
        ("said failure", each.false_failure, each.true_failure),
    )
    lines: list[Line] = [
        [(cut(f"against {truth}", width), theme.STRONG)],
        [(f"{'':<14}{'was success':>12}{'was failure':>13}", theme.QUIET)],
    ]
    for name, success, failure in rows:
        good = name == "said success"
        lines.append([
            (f"{name:<14}", theme.QUIET),
            (f"{success:>10} {'✓' if good else '✗'}", theme.GOOD if good else theme.BAD),
            (f"{failure:>11} {'✗' if good else '✓'}", theme.BAD if good else theme.GOOD),
        ])  # fmt: skip
    lines.append([(f"{'right':<14}", theme.QUIET), (told(each.accuracy), theme.PLAIN)])
    if each.unknown:
        lines.append([(f"{'no verdict':<14}", theme.QUIET), (f"? {each.unknown}", theme.CARE)])
    return lines


def _calibration(found: RewardView, width: int) -> list[Line]:
    if not found.bins:
        return [[("no probability with a known truth yet", theme.QUIET)]]
    across = max(6, min(40, width - 56))
    lines: list[Line] = [[(f"{'said':<11}{'mean':>5}   came true  [95 % interval]", theme.QUIET)]]
    for each in found.bins:
        inside = each.came.low <= each.said <= each.came.high
        mark, style = ("✓", theme.GOOD) if inside else ("✗", theme.BAD)
        lines.append([
            (f"{each.low:.1f} to {each.high:.1f} ", theme.PLAIN),
            (f"{each.said:>5.2f}   ", theme.PLAIN),
            (bar(each.came.share, across), theme.LINE),
            (f" {mark} ", style),
            (told(each.came), theme.PLAIN),
        ])  # fmt: skip
    lines.append([("✓ the mean of what was said lies in the interval of what came", theme.QUIET)])
    return lines


def _probes(found: RewardView, width: int) -> list[Line]:
    if not found.probes:
        return [[("none recorded", theme.QUIET)]]
    lines = list[Line]()
    for each in found.probes:
        mark, style = theme.symbol("success" if each.wanted == each.found else "failure")
        odds = NONE if each.probability is None else f"p {number(each.probability)}"
        text = f"{each.name}: wanted {each.wanted}, found {each.found}, {odds}"
        lines.append([
            (f"{mark} ", style),
            (cut(text, width - 18), theme.PLAIN),
            (f"  {moment(each.when)}", theme.QUIET),
        ])  # fmt: skip
    return lines


def _notes(found: RewardView, width: int) -> list[Line]:
    lines: list[Line] = [
        [("· " if n == 0 else "  ", theme.QUIET), (text, theme.PLAIN)]
        for note in found.notes
        for n, text in enumerate(wrapped(note, width - 2))
    ]
    lines += [
        [("! ", theme.BAD), (cut(str(each), width - 2), theme.PLAIN)] for each in found.damage
    ]
    return lines or [[("nothing", theme.QUIET)]]
