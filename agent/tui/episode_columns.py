"""The columns of the table of episodes, and the text its filter looks at."""

from __future__ import annotations

from agent.logbook import EpisodeRow
from agent.tui import theme
from agent.tui.figures import NONE, number, seconds
from agent.tui.table import Cell, Column


def text_of(row: EpisodeRow) -> str:
    """All that a filter may find, in lower case."""
    names = ("task", "start", "adapter", "use", "ending", "verdict", "began", "why")
    facts = [f"{name}={_of(row, name)}" for name in names]
    label = f"label={row.label}"
    return " ".join([f"id={row.id}", row.status, *facts, label, *row.notes]).lower()


def _word(title: str, width: int, name: str, rank: int = 0) -> Column[EpisodeRow]:
    def cell(row: EpisodeRow) -> Cell:
        return _of(row, name), theme.PLAIN

    return Column(title, width, cell, lambda row: _of(row, name), rank=rank)


def _count(title: str, width: int, name: str, rank: int = 0) -> Column[EpisodeRow]:
    def cell(row: EpisodeRow) -> Cell:
        return _of(row, name), theme.PLAIN

    return Column(title, width, cell, lambda row: _figure(row, name), right=True, rank=rank)


def _mark(row: EpisodeRow) -> Cell:
    if row.status == "sealed" and row.summary is not None:
        return theme.symbol(row.summary.verdict)
    return theme.symbol("damaged" if row.status == "sealed" else row.status)


def _task(row: EpisodeRow) -> Cell:
    if row.summary is None:
        return ("unreadable", theme.BAD) if row.status != "running" else ("", theme.PLAIN)
    return row.summary.task, theme.PLAIN


def _ending(row: EpisodeRow) -> Cell:
    return (row.status if row.summary is None else row.summary.ending or row.status), theme.PLAIN


def _verdict(row: EpisodeRow) -> Cell:
    verdict = _of(row, "verdict")
    return verdict or NONE, theme.symbol(verdict)[1]


def _odds(row: EpisodeRow) -> Cell:
    return number(row.summary.success_probability if row.summary else None), theme.QUIET


def _label(row: EpisodeRow) -> Cell:
    if not row.label and not row.notes:
        return "", theme.MARK
    return f"✎ {row.label or 'note'}" + ("+" if row.label and row.notes else ""), theme.MARK


def _update(row: EpisodeRow) -> Cell:
    return ("" if row.used_by is None else str(row.used_by)), theme.QUIET


def _time(row: EpisodeRow) -> Cell:
    return seconds(row.summary.seconds if row.summary else None), theme.PLAIN


def _began(row: EpisodeRow) -> Cell:
    return _of(row, "began")[:19].replace("T", " "), theme.QUIET


def _of(row: EpisodeRow, name: str) -> str:
    return "" if row.summary is None else str(getattr(row.summary, name))


def _figure(row: EpisodeRow, name: str) -> float:
    value = None if row.summary is None else getattr(row.summary, name)
    return -1.0 if value is None else float(value)


COLUMNS: tuple[Column[EpisodeRow], ...] = (
    Column("", 1, _mark),
    Column("id", 6, lambda row: (row.id, theme.PLAIN), lambda row: int(row.id)),
    Column("task", 14, _task, lambda row: _of(row, "task"), rank=1, grow=32),
    _count("start", 5, "start"),
    _word("adapter", 7, "adapter"),
    Column("ending", 8, _ending, lambda row: _ending(row)[0]),
    Column("verdict", 8, _verdict, lambda row: _of(row, "verdict")),
    Column("p", 4, _odds, lambda row: _figure(row, "success_probability"), right=True),
    Column("label", 10, _label, lambda row: (row.label, len(row.notes)), rank=2),
    _count("steps", 5, "control_steps", rank=3),
    Column("update", 6, _update, lambda row: row.used_by or 0, right=True, rank=5),
    Column("time", 9, _time, lambda row: _figure(row, "seconds"), right=True, rank=6),
    _word("use", 10, "use", rank=7),
    Column("began (UTC)", 19, _began, lambda row: _of(row, "began"), rank=8),
)
