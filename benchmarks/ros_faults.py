"""Faults of robot, bridge and process, each really injected: what was expected, what was seen.

Arm, guard and agent are processes of their own on real DDS; the arm is the kinematic simulation
with the shipped profile of a real one. stop_mm, stop_ms: the true tool from fault to standstill.

    python -m benchmarks.ros_faults --out results/ros-faults.json
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from agent.episode import Action
from agent.store.reader import ZarrReader
from benchmarks import setting
from benchmarks.ros_cell import Cell, Wanderer, Wish, end, faulty, move, to_and_fro
from sim.franka.track import Stop

PARTS = ("policy", "arm", "process")
SETTLED_S = 1.5  # longer than any stop
# An episode whose every move is clamped may go on, or the guard may have had enough of it.
HELD = ("Truncated: timeout", "SafetyStop: the guard is in HOLD")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. number: its row in the project's table of faults."""

    number: int
    fault: str
    expected: str
    seen: str
    ok: bool
    stop_mm: float | None = None
    stop_ms: float | None = None


def _row(
    number: int, fault: str, expected: str, seen: str, *, ok: bool, stop: Stop | None = None
) -> Row:
    return Row(
        number, fault, expected, " ".join(seen.split())[:200], ok,
        None if stop is None else round(stop.way_mm, 1),
        None if stop is None else round(stop.time_ms),
    )  # fmt: skip


def undisturbed(cell: Cell, wish: Wish, steps: int = 60) -> str:
    """Play an episode, again where this machine was too slow for the guard: that is another row."""
    seen = ""
    for _ in range(3):
        seen = cell.act(Wanderer(wish), steps)
        if "no request in time" not in seen:
            break
    return seen


def policy_rows(cell: Cell) -> list[Row]:
    """A policy that answers nonsense, too much, or too late."""
    rows = []
    bad = {
        "the policy answers NaN": (1, move(np.nan), "nonfinite_action"),
        "the policy answers seven numbers": (2, move(0, 0, 0, 0, 0, 0, 0), "misshapen_action"),
    }
    for fault, (number, action, word) in bad.items():
        moments: list[float] = []

        def wish(count: int, action: Action = action, moments: list[float] = moments) -> Action:
            if count >= 6:
                moments.append(time.monotonic())
            return action if count >= 6 else to_and_fro(count)

        seen = undisturbed(cell, wish)
        time.sleep(SETTLED_S)
        kept = ZarrReader(cell.folder / "run").interrupted()
        stop = cell.stop(moments[-1])
        ok = seen.startswith("NoMove") and word in seen and bool(kept) and stop is not None
        rows.append(
            _row(number, fault, "at rest at once, kept as interrupted, 7", seen, ok=ok, stop=stop)
        )
    seen = undisturbed(cell, lambda n: move(0, 100.0 if n % 16 < 8 else -100.0), 16)
    rows.append(_speed_row(cell, seen))
    seen = undisturbed(cell, lambda _: move(0, 0, -1.0), 24)
    rows.append(_box_row(cell, seen))
    asleep: list[float] = []

    def slow(count: int) -> Action:
        if count == 6:
            asleep.append(time.monotonic())
            time.sleep(5.0)
        return to_and_fro(count)

    seen = cell.act(Wanderer(slow))
    stop = cell.stop(asleep[-1]) if asleep else None
    expected = "held by the guard, the late action is not carried out"
    ok = seen.startswith(("RobotFault", "SafetyStop")) and stop is not None
    return [*rows, _row(12, "inference takes 5 s", expected, seen, ok=ok, stop=stop)]


def _speed_row(cell: Cell, seen: str) -> Row:
    rows = np.array(cell.arm.trace()["rows"])[-300:]
    # Over half a second: setpoints that this machine sent late may be made up for within that.
    apart = 50
    ways = np.linalg.norm(rows[apart:, 1:4] - rows[:-apart, 1:4], axis=1)
    most = float((ways / (rows[apart:, 0] - rows[:-apart, 0])).max())
    limit = cell.profile.limits.speed_m_s
    seen = f"{seen[:120]}; tool at most {most:.3f} m/s over 0.5 s"
    ok = seen.startswith(HELD) and most <= 1.1 * limit
    expected = f"tool at most {limit} m/s; held where too much is clamped"
    return _row(3, "moves of 100 times the scale", expected, seen, ok=ok)


def _box_row(cell: Cell, seen: str) -> Row:
    lowest = float(np.array(cell.arm.trace()["rows"])[:, 3].min())
    table = cell.profile.workspace.low_m[2]
    seen = f"{seen[:120]}; tool at lowest {1e3 * lowest:.1f} mm"
    ok = seen.startswith(HELD) and lowest >= table - 0.002
    expected = f"tool never below {1e3 * table:.0f} mm; held where it leads on"
    return _row(4, "targets under the table", expected, seen, ok=ok)


# The arm's own fault, its row, and what the agent must end the episode with.
ARM_FAULTS = (
    (6, "state_dropped", ("RobotFault",), "joint state"),
    (6, "joints_dropped", ("RobotFault",), "joint state"),
    (7, "stamps=-5", ("RobotFault",), ""),
    (7, "stamps=5", ("RobotFault",), ""),
    (7, "state_delayed=0.5", ("RobotFault",), ""),
    (7, "wrong_frame", ("RobotFault", "SafetyStop"), ""),
    (6, "state_nan", ("RobotFault", "SafetyStop"), ""),
    (8, "camera_frozen@agentview", ("RobotFault",), "frozen"),
    (8, "camera_black@agentview", ("RobotFault",), "shows nothing"),
    (9, "camera_stale@eye_in_hand", ("RobotFault",), "eye_in_hand"),
    (10, "reflex", ("SafetyStop",), "reflex"),
    (10, "user_stop", ("SafetyStop",), "user"),
    (13, "second_publisher", ("SafetyStop", "RobotFault"), "publish"),
)


# What only a person may lift, even in front of a simulated arm.
BY_A_PERSON = ("reflex", "user_stop", "second_publisher")


def arm_row(cell: Cell, number: int, fault: str, wanted: tuple[str, ...], word: str) -> Row:
    """Break the arm in the middle of an episode, mend it, and see that the next one goes."""
    thread, said = cell.under_way(200)
    with faulty(cell, fault) as since_s:
        thread.join(20.0)
        time.sleep(SETTLED_S)
        stop = cell.stop(since_s)
    seen = said[0] if said else "still acting after 20 s"
    thread.join()
    again, person = cell.act(Wanderer(), 4), ""
    if fault in BY_A_PERSON:
        person = "nothing before a person has cleared it; "
        refused = "a person has to clear" in again
        for each in ("clear", "arm"):
            cell.say(each)
        again = cell.act(Wanderer(), 4) if refused else f"not refused: {again}"
    ok = seen.startswith(wanted) and word in seen and stop is not None
    ok = ok and again == "Truncated: timeout"
    expected = f"{' or '.join(wanted)}, at rest; {person}then the next episode goes"
    return _row(number, f"arm: {fault}", expected, f"{seen[:140]}; then {again}", ok=ok, stop=stop)


def guard_row(cell: Cell, number: int) -> Row:
    """Kill the guard under way; the arm then keeps its last target and goes no further."""
    thread, said = cell.under_way(200)
    since_s = time.monotonic()
    end(cell.guard, number)
    thread.join(20.0)
    time.sleep(SETTLED_S)
    stop = cell.stop(since_s)
    cell.start_guard()
    seen = said[0] if said else "still acting after 20 s"
    name = signal.Signals(number).name
    ok = seen.startswith("RobotFault") and stop is not None
    return _row(11, f"guard: {name}", "RobotFault, at rest", seen, ok=ok, stop=stop)


def process_row(cell: Cell, number: int, signals: tuple[int, ...], expected: int) -> Row:
    """Send signals to a whole agent in the middle of an episode."""
    cell.robot.close()
    before = set((cell.folder / "runs").glob("*"))
    agent = cell.agent()
    cell.await_steps(cell.folder / "runs")
    cell.await_motion()
    since_s = time.monotonic()
    for each in signals:
        agent.send_signal(each)
        time.sleep(0.05)
    if signals == (signal.SIGSTOP,):
        time.sleep(SETTLED_S)
        stop = cell.stop(since_s)
        end(agent, signal.SIGKILL)
        took_s = 0.0
    else:
        agent.communicate(timeout=60.0)
        took_s = time.monotonic() - since_s
        time.sleep(max(0.0, SETTLED_S - took_s))
        stop = cell.stop(since_s)
    (folder,) = set((cell.folder / "runs").glob("*")) - before
    kept = _kept(folder)
    names = " and ".join(signal.Signals(each).name for each in signals)
    seen = f"exit {agent.returncode} after {took_s:.1f} s; steps kept: {kept}"
    ok = agent.returncode == expected and stop is not None and kept > 0 and took_s < 10.0
    wanted = f"exit {expected} within 10 s, at rest, the episode kept"
    return _row(number, f"agent: {names}", wanted, seen, ok=ok, stop=stop)


def _kept(folder: Path) -> int:
    """Open a run as the next start would; how many steps its broken-off episodes still have."""
    from agent.store.zarr_store import ZarrStore

    store = ZarrStore(folder)
    store.open()
    store.close()
    return sum(row.decisions for row in ZarrReader(folder).interrupted())


def second_agent_row(cell: Cell) -> Row:
    """Start a second agent while one has the arm."""
    thread, _ = cell.under_way(120)
    agent = cell.agent("--set", "robot.retries=0")
    _, talk = agent.communicate(timeout=90.0)
    thread.join()
    seen = f"exit {agent.returncode}: {talk.strip().splitlines()[-1]}"
    ok = agent.returncode == 4 and "one agent" in talk
    return _row(13, "a second agent on the arm", "exit 4, the first goes on", seen, ok=ok)


def profile_row(cell: Cell) -> Row:
    """Give a Research 3 a home pose that only a Panda may take."""
    wrong = cell.folder / "wrong.toml"
    wrong.write_text(cell.path.read_text().replace("0.0, 1.5708, 0.7854]", "0.0, 0.4, 0.7854]"))
    guard = cell.python("bridges.guard", "--profile", str(wrong))
    _, talk = guard.communicate(timeout=30.0)
    seen = f"exit {guard.returncode}: {talk.strip().splitlines()[-1]}"
    ok = guard.returncode == 2 and "joint 6 of fr3" in talk
    return _row(5, "a Panda's home pose on a Research 3", "exit 2, joint 6 named", seen, ok=ok)


def rows_of(cell: Cell, parts: Sequence[str]) -> Iterator[Row]:
    """Inject the faults of these parts, one after the other."""
    if "policy" in parts:
        yield from policy_rows(cell)
        yield profile_row(cell)
    if "arm" in parts:
        for number, fault, wanted, word in ARM_FAULTS:
            yield arm_row(cell, number, fault, wanted, word)
    if "process" in parts:
        yield second_agent_row(cell)
        for each in (signal.SIGTERM, signal.SIGKILL):
            yield guard_row(cell, each)
        sent = ((14, (signal.SIGINT, signal.SIGINT), 130), (15, (signal.SIGTERM,), 130))
        killed = ((11, (signal.SIGSTOP,), -9), (16, (signal.SIGKILL,), -9))
        for number, signals, code in (*sent, *killed):
            yield process_row(cell, number, signals, code)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/ros-faults.json"))
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    told = parser.parse_args()
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, Cell(Path(folder)) as cell:
        for row in rows_of(cell, told.parts):
            sys.stderr.write(json.dumps(asdict(row)) + "\n")
            rows.append(row)
    rows.sort(key=lambda row: row.number)
    document = {
        "command": setting.command("ros_faults"),
        "commit": setting.commit(),
        "machine": setting.machine("ros-rclpy"),
        "injected": len(rows),
        "as_expected": sum(row.ok for row in rows),
        "rows": [asdict(row) for row in rows],
    }
    told.out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
