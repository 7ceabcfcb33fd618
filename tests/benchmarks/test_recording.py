"""What the recording benchmark compares, and the long log that others look at."""

import json

import numpy as np
import pytest

from agent.learn.ledger import reports
from agent.store.reader import ZarrReader
from benchmarks.big_log import make
from benchmarks.reader_beside import beside
from benchmarks.recorders import RECORDERS
from benchmarks.recording import steps

STEPS = 12


def recorded_by_the_store(folder):
    return len(ZarrReader(folder / "run").read("000001").episode.steps) + 1


def recorded_by_zarr(folder):
    import zarr

    return zarr.open_group(folder / "data.zarr", mode="r")["images/wrist"].shape[0]


def recorded_by_hdf5(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "data.hdf5") as file:
        return len(file["wrist"])


def recorded_by_mcap(folder):
    reader = pytest.importorskip("mcap.reader")
    with (folder / "data.mcap").open("rb") as stream:
        messages = list(reader.make_reader(stream).iter_messages(topics=["wrist"]))
    return len(messages)


def recorded_by_mp4(folder):
    av = pytest.importorskip("av")
    pytest.importorskip("pyarrow")
    with av.open(folder / "wrist.mp4") as video:
        return sum(1 for _ in video.decode(video=0))


COUNTS = {
    "this store": recorded_by_the_store,
    "zarr, append a step": recorded_by_zarr,
    "HDF5, flushed a step": recorded_by_hdf5,
    "MCAP": recorded_by_mcap,
    "parquet and MP4, lossy": recorded_by_mp4,
}


@pytest.mark.parametrize("name", RECORDERS)
def test_every_recorder_keeps_every_step_it_is_given(tmp_path, name):
    # Twelve steps and the last view make thirteen.
    for package in {"HDF5": ["h5py"], "MCAP": ["mcap"], "parquet": ["pyarrow", "av"]}.get(
        name.split(maxsplit=1)[0].strip(","), []
    ):
        pytest.importorskip(package)
    taken = steps(32, 48)
    recorder = RECORDERS[name](tmp_path)
    for step in taken[:STEPS]:
        recorder.append(step)
    recorder.close(taken[STEPS])
    assert COUNTS[name](tmp_path) == STEPS + 1


def test_a_reader_beside_a_writer_finds_every_picture_right(tmp_path):
    found = beside(tmp_path, 1.0, steps(16, 16), episode=20)
    assert found["reader"]["wrong"] == 0
    assert found["writer_beside_reader"]["steps"] % 20 == 0


def test_the_long_log_is_sound_and_every_update_names_the_eight_episodes_before_it(tmp_path):
    run = tmp_path / "run"
    make(run, episodes=20, steps=11, distinct=2)
    reader = ZarrReader(run)
    assert reader.verify() == ()
    assert [row.id for row in reader.summaries()] == [f"{n:06d}" for n in range(1, 21)]
    # 20 episodes hold two updates of eight
    used = [name for report in reports(run) for name in report.episodes]
    assert used == [f"{n:06d}" for n in range(1, 17)]
    scored = reader.read("000020")
    facts = json.loads((run / "episodes/000020/data.zarr/zarr.json").read_text())["attributes"]
    assert scored.episode.task.seed == facts["task"]["seed"] == 20
    assert np.isfinite([step.times.applied_s for step in scored.episode.steps]).all()
