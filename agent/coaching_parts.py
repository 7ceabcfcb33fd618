"""Recording a lesson in several processes at once, each into a run folder of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from agent.children import end_with_parent
from agent.coaching import Lesson, Part, record
from agent.settings import Settings


def part_folders(folder: Path, processes: int) -> tuple[Path, ...]:
    """Where the parts of a lesson go: the folder itself for one, else folders in it."""
    if processes == 1:
        return (folder,)
    width = len(str(processes - 1))
    return tuple(folder / f"part-{number:0{width}d}" for number in range(processes))


def record_parts(
    settings: Settings,
    folder: Path,
    lesson: Lesson,
    processes: int,
    on_part: Callable[[Path, int, int], None] = lambda *_: None,
) -> int:
    """Record a lesson in so many processes; returns how many episodes succeeded.

    The episodes are those that one process would record. on_part: told a part's folder when it is
    done, how many episodes it holds and how many of them succeeded.
    """
    folders = part_folders(folder, processes)
    # Fresh interpreters: a fork would share what draws.
    context = multiprocessing.get_context("spawn")
    won = 0
    with ProcessPoolExecutor(processes, context, end_with_parent) as pool:
        asked = {
            pool.submit(_record, settings, folders[number], lesson, Part(number, processes)): number
            for number in range(processes)
        }
        try:
            for answer in as_completed(asked):
                number = asked[answer]
                won += answer.result()
                on_part(
                    folders[number],
                    len(range(number, lesson.episodes, processes)),
                    answer.result(),
                )
        finally:
            pool.shutdown(cancel_futures=True)
    return won


def _record(settings: Settings, folder: Path, lesson: Lesson, part: Part) -> int:
    return record(settings, folder, lesson, part=part)
