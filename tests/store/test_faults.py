"""Death, a full disk and a broken disk at the file operations of a recording."""

import errno

import pytest

from agent.episode import Task
from agent.store.folders import Folders
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import crash, in_child, saved_steps, told, untasked
from benchmarks.faulty_disk import DEATH, FaultyDisk
from benchmarks.recording_faults import DECISIONS, broken_promises, operations, write_two
from benchmarks.seeded_episodes import ADAPTER, seeded

pytestmark = pytest.mark.slow


def sound_after(run, work):
    code, lines = told(*in_child(work))
    assert lines, "the writer told nothing"
    assert not [line for line in lines if line.startswith("error")], lines
    assert broken_promises(run, lines) == [], lines[-2:]
    return code, lines


def death_at(run, k):
    code, lines = sound_after(run, lambda tell: write_two(run, tell, k))
    assert "sealed 000001" in lines
    return code


def test_death_at_some_file_operations_loses_no_step_and_no_sealed_episode(tmp_path):
    last = operations(tmp_path / "count")
    for k in range(1, last, last // 6):
        assert death_at(tmp_path / str(k), k) == DEATH


def test_death_at_every_twentieth_file_operation_loses_no_step_and_no_sealed_episode(tmp_path):
    # `python -m benchmarks.crash_table` takes every one of them.
    for k in range(3, operations(tmp_path / "count"), 20):
        death_at(tmp_path / str(k), k)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_on_the_way_is_a_storage_error_and_sealed_episodes_stay(tmp_path, error):
    last = operations(tmp_path / "count")
    refused = 0
    for k in range(1, last, last // 4):
        run = tmp_path / str(k)
        code, lines = sound_after(run, lambda tell, k=k, run=run: write_two(run, tell, k, error))
        assert code == 0
        refusal = [line for line in lines if line.startswith("refused")]
        refused += len(refusal)
        assert bool(refusal) != ("sealed 000002" in lines), lines
        assert all("the disk of this test" in line for line in refusal)
    assert refused >= 3  # the last of the operations clear up after the commit


def test_death_in_recovery_is_recovered_from(tmp_path):
    def broken_off(run):
        def write(tell):
            store = ZarrStore(run, free_bytes=0)
            store.open()
            recording = store.begin(Task("", "", 0, 0), ADAPTER, 1.0)
            for step in seeded(1, DECISIONS).steps:
                recording.append(step)

        assert told(*in_child(write))[0] == 0

    def recover(run, tell, k):
        disk = FaultyDisk(k)
        disk.install()
        ZarrStore(run, free_bytes=0).open()
        tell(f"count {disk.count}")

    def saved(run, tell):
        ZarrStore(run, free_bytes=0).open()
        tell(str(saved_steps(Folders(run).interrupted / "000001", untasked("000001", DECISIONS))))

    whole = tmp_path / "whole"
    broken_off(whole)
    last = int(told(*in_child(lambda tell: recover(whole, tell, 0)))[1][-1].split()[1])
    for k in range(1, last, last // 6):
        run = tmp_path / str(k)
        broken_off(run)
        assert told(*in_child(lambda tell, run=run, k=k: recover(run, tell, k)))[0] == DEATH
        assert told(*in_child(lambda tell, run=run: saved(run, tell))) == (0, [str(DECISIONS)])


def test_kill_at_random_moments_loses_nothing_that_was_promised(tmp_path):
    outcome = crash(tmp_path / "run", rounds=10, seed=1)
    assert outcome["errors"] == []
    assert outcome["interrupted"] + outcome["sealed_and_promised"] >= 10
    assert outcome["lost_steps_of_a_running_episode_at_most"] <= 11
