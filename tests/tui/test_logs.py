"""The app on logs that are empty, damaged, gone, huge or being written."""

import asyncio
import json
import shutil
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from textual.worker import WorkerFailed

from agent import logbook
from agent.store.run import create_run
from agent.tui.app import LogApp
from agent.tui.frame import FrameView
from agent.tui.table import Table
from tests.tui.conftest import drive


def test_every_screen_of_an_empty_run_says_that_there_is_nothing_yet(empty):
    async def story(hand):
        assert "no episode is judged yet" in hand.text
        assert "no update yet" in hand.text
        for key, said in (
            ("2", "no episode yet"), ("3", "the policy as it came"),
            ("4", "nothing to hold the verdicts against"), ("5", "begun"),
        ):  # fmt: skip
            await hand.press(key)
            assert said in hand.text
            # no key may fall over what is not there
            await hand.press("enter", "down", "up", "end", "s", "n", "escape", "m", "c", "escape")

    drive(empty, story)


def test_an_empty_folder_of_runs_says_how_to_start_one(tmp_path):
    async def story(hand):
        assert "no run here; start one: vlarl-agent run" in hand.text
        await hand.press("enter", "down", "o", "O")

    drive(tmp_path, story)


def test_every_screen_of_a_damaged_run_shows_the_rest_and_names_what_is_lost(damaged):
    async def story(hand):
        await hand.press("2")
        assert "000003 unreadable" in hand.text
        assert "000004" in hand.text
        assert "cannot be read" in hand.lines[-2]
        await hand.press("3")
        assert "updates/0002.json" in hand.text
        await hand.press("4", "end")
        assert "probes.jsonl" in hand.text
        await hand.press("5")
        assert "damage" in hand.text
        await hand.press("1", "end")
        assert "cannot be read" in hand.text
        assert "episodes/000003" in hand.text

    drive(damaged, story)


@pytest.mark.parametrize(
    ("episode", "said"),
    [
        ("000003", "nothing of it can be read"),
        ("000006", "log_probs"),
    ],
)
def test_a_damaged_episode_shows_what_is_left_of_it(damaged, episode, said):
    async def story(hand):
        await hand.press("2", "slash", *f"id={episode}", "enter", "enter", "right")
        assert hand.screen.episode == episode
        assert said in " ".join(hand.text.split())

    drive(damaged, story, (200, 60))


def test_a_picture_that_is_lost_is_named_and_the_other_camera_goes_on(damaged):
    async def story(hand):
        await hand.press("2", "slash", *"id=000005", "enter", "enter", "right")
        front, wrist = list(hand.screen.query(FrameView))[:2]
        assert front.image is None
        assert "images/front/c.0.0.0.0 is missing" in front.note
        assert wrist.image is not None
        assert "missing" in hand.text

    drive(damaged, story)


def test_a_label_that_cannot_be_kept_is_told_and_the_app_goes_on(run):
    async def story(hand):
        await hand.press("2", "down")
        shutil.rmtree(run / "episodes" / "000002")
        await hand.press("s")
        assert "has no episode 000002" in hand.notices[-1]
        assert hand.where == "EpisodesScreen"

    drive(run, story)


def test_a_run_that_goes_while_one_looks_at_it_is_told_and_comes_back(run, tmp_path):
    async def story(hand):
        run.rename(tmp_path / "away")
        await hand.press("2")
        assert "unreadable" in hand.lines[0]
        assert "holds no run" in hand.notices[-1]
        (tmp_path / "away").rename(run)
        await hand.press("1")
        assert "finished" in hand.lines[0]

    drive(run, story)


def test_an_episode_that_is_gone_is_told_once_however_often_it_is_looked_for(run):
    async def story(hand):
        hand.app.open_episode("000099")
        for _ in range(8):
            await asyncio.sleep(0.1)
            await hand.settle()
        assert [note for note in hand.notices if "no episode 000099" in note] == hand.notices
        assert len(hand.notices) == 1

    drive(run, story, poll_s=0.05)


def test_a_bug_ends_the_app_with_its_traceback(written, monkeypatch, capsys):
    def broken(_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("agent.logbook.run", broken)

    async def play():
        app = LogApp(written)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()

    with pytest.raises(WorkerFailed, match="a bug") as raised:
        asyncio.run(play())
    assert isinstance(raised.value.error, ZeroDivisionError)
    assert "in broken" in capsys.readouterr().err


WRITER = """
import sys, time
from pathlib import Path
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from benchmarks.drawn_episodes import drawn

run = Path(sys.argv[1])
create_run(run, {"run": {"episodes": 3}, "robot": {"name": "tabletop", "task": "lift"}}, {})
store = ZarrStore(run)
store.open()
for number in range(3):
    content = drawn(number, 12, {"front": 16})
    recording = store.begin(content.task, "base", 1.0)
    for step in content.steps:
        recording.append(step)
        if number == 1 and step is content.steps[5]:
            print("half", flush=True)
            sys.stdin.readline()
    recording.finish(content.last, content.ending)
    recording.seal(content.signal)
print("done", flush=True)
sys.stdin.readline()
store.close()
"""


def test_a_live_run_is_followed_while_another_process_writes_it(tmp_path):
    run = tmp_path / "table"
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(run)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert writer.stdout.readline() == "half\n"

        async def story(hand):
            assert "● live: acting" in hand.lines[0]
            await hand.press("2")
            table = hand.screen.query_one(Table)
            assert [(row.id, row.status) for row in table.rows] == [
                ("000001", "sealed"),
                ("000002", "running"),
            ]
            await hand.press("end", "enter")
            # the view of a step comes with its decision: six steps, six views
            assert "view 1/6" in hand.text
            # its pictures too, beside the writer
            frame = hand.screen.query_one(FrameView)
            await until(hand, lambda: hand.screen.painted > 0)
            assert (frame.note, frame.image is None) == ("", False)
            await hand.press("escape")
            writer.stdin.write("\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "done\n"
            await until(hand, lambda: len(table.rows) == 3)
            assert {row.status for row in table.rows} == {"sealed"}
            # the cursor stood at the newest row and stays there
            assert table.row.id == "000003"
            writer.communicate("\n", timeout=20)
            await until(hand, lambda: "live" not in hand.lines[0])
            assert "○ stopped" in hand.lines[0]

        drive(run, story, poll_s=0.1)
    finally:
        writer.kill()
        writer.communicate()


async def until(hand, true, limit_s=20.0):
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end
        await hand.pilot.pause(0.05)
        await hand.settle()


def test_a_slow_disk_never_holds_up_the_keys(written, monkeypatch):
    real, answered, waited = logbook.run, threading.Event(), []

    def slow(folder):
        waited.append(answered.wait(timeout=20))
        return real(folder)

    monkeypatch.setattr("agent.logbook.run", slow)

    async def play():
        app = LogApp(written)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("question_mark")
            assert type(app.screen).__name__ == "HelpScreen"
            await pilot.press("escape", "2")
            assert type(app.screen).__name__ == "EpisodesScreen"
            # all this while the first read has not come back
            answered.set()
            await app.workers.wait_for_complete()

    asyncio.run(play())
    assert waited
    assert all(waited)


def test_two_thousand_rows_are_listed_sorted_and_filtered_quickly(tmp_path):
    create_run(tmp_path / "big", {"run": {"episodes": 2000}}, {})
    lines = []
    for number in range(1, 2001):
        name = f"{number:06d}"
        (tmp_path / "big" / "episodes" / name).mkdir(parents=True)
        lines.append(json.dumps(_summary(name, number)))
    (tmp_path / "big" / "manifest.jsonl").write_text("\n".join(lines) + "\n")

    async def story(hand):
        await hand.press("2")
        table = hand.screen.query_one(Table)
        assert len(table.rows) == 2000
        spent = time.process_time()
        table.action_end(last=True)
        table.action_sort()
        table.action_reverse()
        table.render()
        # generous: 2,000 rows cost a few milliseconds, laying all of them out costs seconds
        assert time.process_time() - spent < 0.25
        await hand.press("slash", *"start=7", "enter")
        # start states 0 to 49 in turn: each has 40 of the 2,000
        assert len(table.rows) == 40

    drive(tmp_path / "big", story)


def _summary(name, number):
    return {
        "id": name, "task": "lift", "instruction": "lift it", "start": number % 50, "seed": 0,
        "adapter": "base", "temperature": 1.0, "use": "learn", "decisions": 200,
        "control_steps": 200, "ending": "success", "verdict": "success",
        "success_probability": 1.0, "seconds": 10.0, "began": "2026-01-01T00:00:00.000+00:00",
    }  # fmt: skip
