"""The power is cut while episodes are recorded: what was synced is enough."""

import os

import pytest

from benchmarks.crash_store import in_child, told
from benchmarks.power_cut import PowerCut
from benchmarks.power_faults import cut_chore, cut_recording

pytestmark = pytest.mark.slow


def test_a_power_cut_takes_no_sealed_episode_and_at_most_twelve_steps_of_a_running_one(tmp_path):
    # 0.6 s at 20 Hz are twelve steps; `python -m benchmarks.crash_table` cuts everywhere.
    found = cut_recording(tmp_path, every=190)
    assert found.failures == []
    assert found.count >= 6
    assert found.lost <= 12


@pytest.mark.parametrize(("chore", "every"), [("fsck", 140), ("compact", 600), ("prune", 110)])
def test_a_power_cut_in_a_chore_takes_nothing_that_was_sealed(tmp_path, chore, every):
    found = cut_chore(tmp_path, chore, every)
    assert found.failures == []
    assert found.count >= 4


def test_the_simulated_disk_keeps_what_was_synced_and_nothing_else(tmp_path):
    root, out = tmp_path / "root", tmp_path / "cuts"
    root.mkdir()
    out.mkdir()

    def write(name, data, *, sync):
        descriptor = os.open(root / name, os.O_WRONLY | os.O_CREAT)
        os.write(descriptor, data)
        if sync:
            os.fsync(descriptor)
        os.close(descriptor)

    def work(tell):
        watch = PowerCut(root, out, lambda count: count == 9)
        watch.install()
        write("kept", b"whole", sync=True)  # operations 1 to 3
        folder = os.open(root, os.O_RDONLY)
        os.fsync(folder)  # 5
        write("unsynced", b"lost", sync=False)  # 6 and 7
        (root / "kept").rename(root / "renamed")  # 8
        (root / "later").mkdir()  # 9: cut before it
        tell("ok")

    assert told(*in_child(work)) == (0, ["ok"])

    def left(form):
        return {file.name: file.read_bytes() for file in (out / f"00009-{form}").iterdir()}

    assert left("strict") == {"kept": b"whole"}
    assert left("names") == {"renamed": b"whole", "unsynced": b""}
