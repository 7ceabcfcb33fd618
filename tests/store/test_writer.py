"""One writer at a time, and what becomes of what it was writing."""

import errno
import os
import signal
import threading
import time

import numpy as np
import pytest
import zarr

from agent.episode import Task
from agent.errors import DataError, StorageError, UsageError
from agent.store import steplog
from agent.store.frames import FrameWriter
from agent.store.layout import Layout
from agent.store.reader import ZarrReader
from agent.store.ring import SLOTS
from agent.store.run import create_run, open_run
from agent.store.schema import SCHEMA_VERSION
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import in_child
from benchmarks.seeded_episodes import ADAPTER, differences, seeded
from tests.store.sealed import seal


def test_a_second_writer_is_refused_with_the_pid_of_the_first(run, store):
    with pytest.raises(StorageError, match=str(os.getpid())) as refused:
        ZarrStore(run).open()
    assert refused.value.exit_code == 6
    store.close()
    after = ZarrStore(run)
    after.open()
    after.close()


def test_the_lock_of_a_killed_writer_is_taken_over_even_if_its_child_lives(run):
    def hold(tell):
        ZarrStore(run).open()
        grandchild = os.fork()
        if grandchild == 0:
            time.sleep(60)
            os._exit(0)
        tell(str(grandchild))
        os.kill(os.getpid(), signal.SIGKILL)

    pid, reading = in_child(hold)
    grandchild = int(os.read(reading, 20))
    try:
        os.waitpid(pid, 0)
        after = ZarrStore(run)
        after.open()
        with pytest.raises(StorageError):
            ZarrStore(run).open()
        after.close()
    finally:
        os.kill(grandchild, signal.SIGKILL)
        os.close(reading)


def test_a_reader_sees_a_sealed_episode_while_the_writer_goes_on(run, store):
    reader = ZarrReader(run)
    name = seal(store, 2, use="evaluation")
    recording = store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    assert reader.ids() == (name,)
    row = reader.summaries()[0]
    # 11 decisions of two control steps and one cut to one: 23
    assert (row.id, row.use, row.decisions, row.control_steps) == (name, "evaluation", 12, 23)
    assert (row.ending, row.verdict, row.task) == ("success", "success", "put-2")
    assert differences(seeded(2, 12), reader.read(name)) == []
    recording.abandon("enough")


def test_an_abandoned_episode_keeps_all_its_steps_and_says_why(run, store):
    content = seeded(1, 23)
    recording = store.begin(content.task, ADAPTER, 1.0)
    for step in content.steps:
        recording.append(step)
    recording.abandon("the camera was unplugged")
    group = zarr.open_group(run / "interrupted" / "000001" / "data.zarr", mode="r")
    frames = np.stack([step.observation.images["front"] for step in content.steps])
    assert np.array_equal(group["images/front"][:], frames)
    row = ZarrReader(run).interrupted()[0]
    assert (row.why, row.decisions, row.ending) == ("the camera was unplugged", 23, "interrupted")
    with pytest.raises(DataError, match="interrupted"):
        store.read("000001")
    assert list((run / "staging").iterdir()) == []


def test_closing_with_an_open_recording_saves_it_as_interrupted(run, store):
    recording = store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    recording.append(seeded(1, 1).steps[0])
    store.close()
    assert [row.decisions for row in ZarrReader(run).interrupted()] == [1]


def test_the_id_of_an_episode_that_never_got_a_step_is_not_given_again(run, store):
    store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    store.close()
    again = ZarrStore(run)
    again.open()
    assert seal(again) == "000002"
    again.close()


def test_after_a_half_kept_step_only_abandoning_is_possible_and_saves_the_whole_ones(
    run, store, monkeypatch
):
    content = seeded(1, 12)
    recording = store.begin(content.task, ADAPTER, 1.0)
    recording.append(content.steps[0])

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(steplog, "write_all", full)
        with pytest.raises(StorageError, match="free some space"):
            recording.append(content.steps[1])
    with pytest.raises(StorageError, match="abandon"):
        recording.append(content.steps[1])
    with pytest.raises(StorageError, match="abandon"):
        recording.finish(content.last, content.ending)
    recording.abandon("the disk was full")
    assert [row.decisions for row in ZarrReader(run).interrupted()] == [1]


def test_too_little_room_is_refused_before_the_episode_begins(run):
    store = ZarrStore(run, free_bytes=1 << 60)
    store.open()
    with pytest.raises(StorageError, match="free some space"):
        store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    store.close()


@pytest.mark.parametrize("camera", ["../x", "a/b", "", ".hidden", "x" * 65])
def test_a_camera_name_that_is_no_plain_name_is_refused(store, camera):
    step = seeded(1, 1).steps[0]
    view = type(step.observation)({camera: np.zeros((4, 4, 3), np.uint8)}, step.track[0], "", 0.0)
    recording = store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    with pytest.raises(UsageError, match="camera"):
        recording.append(type(step)(view, step.decision, step.applied, step.executed, step.track))


def test_an_extra_that_is_no_text_or_finite_number_is_refused(store):
    for value in (None, [1], float("nan")):
        with pytest.raises(UsageError, match="note"):
            store.begin(Task("t", "", 0, 9), ADAPTER, 1.0, extra={"note": value})


def test_a_slow_disk_makes_the_caller_wait_and_drops_nothing(tmp_path):
    content = seeded(1, 1)
    view = content.last
    writer = FrameWriter(tmp_path, Layout.of(view))
    # Nobody writes yet, so the ring is full after SLOTS views.
    for index in range(SLOTS):
        writer.wait_for_room(index)
        writer.put(view)
    assert writer.waits == 0
    late = threading.Timer(0.1, writer.start)
    late.start()
    writer.wait_for_room(SLOTS)
    assert writer.waits == 1
    assert writer.waited_s > 0.05
    writer.put(view)
    writer.close()
    late.join()
    # 41 views are five chunks of ten, for each of two cameras.
    assert len(writer.files) == 10


def test_a_run_is_made_once_and_read_back_and_a_newer_one_refused(tmp_path):
    made = create_run(tmp_path / "a" / "b", {"run": {"seed": 3}}, {"run.seed": "flag"})
    assert open_run(tmp_path / "a" / "b") == made
    with pytest.raises(UsageError, match="already"):
        create_run(tmp_path / "a" / "b", {}, {})
    with pytest.raises(UsageError, match="no run"):
        open_run(tmp_path)
    file = tmp_path / "a" / "b" / "run.json"
    file.write_text(
        file.read_text().replace(
            f'"schema_version": {SCHEMA_VERSION}', f'"schema_version": {SCHEMA_VERSION + 1}'
        )
    )
    with pytest.raises(DataError, match="made by"):
        ZarrStore(tmp_path / "a" / "b").open()
    file.write_text("{")
    with pytest.raises(DataError, match="torn"):
        open_run(tmp_path / "a" / "b")
