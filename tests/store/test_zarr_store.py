"""What the Zarr store promises beyond the contract: damage, locks, ids, recovery, plain readers."""

import errno
import json
import os
import signal
import threading
import time

import numpy as np
import pytest
import zarr

from agent.episode import Task
from agent.errors import DataError, StorageError, UsageError
from agent.store import arrays, durable, listing, steplog
from agent.store.durable import atomic_write_text
from agent.store.frames import FrameWriter
from agent.store.layout import Layout
from agent.store.reader import ZarrReader
from agent.store.record import read_record
from agent.store.ring import SLOTS
from agent.store.run import create_run, open_run
from agent.store.zarr_store import ZarrStore
from benchmarks.crash_store import in_child
from benchmarks.seeded_episodes import ADAPTER, differences, seeded


def seal(store, seed=1, decisions=12, **extra):
    content = seeded(seed, decisions)
    recording = store.begin(content.task, ADAPTER, 1.0, extra=extra)
    for step in content.steps:
        recording.append(step)
    recording.finish(content.last, content.ending)
    recording.seal(content.signal)
    return recording.id


@pytest.fixture
def run(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def store(run):
    store = ZarrStore(run)
    store.open()
    yield store
    store.close()


def data(run, name="000001"):
    return run / "episodes" / name / "data.zarr"


def test_plain_zarr_reads_images_numbers_names_and_attributes(run, store):
    seal(store, seed=2, use="learn", seed_of_run=5)
    group = zarr.open_group(data(run), mode="r")
    content = seeded(2, 12)
    views = [step.observation for step in content.steps] + [content.last]
    for camera in ("front", "wrist"):
        wanted = np.stack([view.images[camera] for view in views])
        assert np.array_equal(group[f"images/{camera}"][:], wanted)
    assert group["requested"].shape == (12, 2, 7)
    assert group["requested"].metadata.dimension_names == ("decision", "action", "axis")
    # The last of 12 decisions was cut short after one of two actions.
    assert group["applied_count"][:].tolist() == [2] * 11 + [1]
    assert np.isnan(group["applied"][11, 1]).all()
    assert np.isnan(group["track"][11, 1]).all()
    assert np.isfinite(group["track"][11, 0]).all()
    assert group.attrs["ending"] == {"type": "terminated", "reason": "success"}
    assert group.attrs["extra"] == {"use": "learn", "seed_of_run": 5}
    assert group.attrs["task"]["horizon_steps"] == 24
    codecs = [codec["name"] for codec in group["images/front"].metadata.to_dict()["codecs"]]
    assert codecs == ["bytes", "zstd", "crc32c"]


def test_black_images_are_written_and_not_left_to_the_fill_value(run, store):
    content = seeded(1, 12)
    black = {name: np.zeros_like(image) for name, image in content.last.images.items()}
    recording = store.begin(content.task, ADAPTER, 1.0)
    for step in content.steps:
        view = type(step.observation)(black, step.observation.proprio, "put", 0.0)
        decision = (step.decision, step.applied, step.executed, step.track)
        recording.append(type(step)(view, *decision))
    recording.finish(type(content.last)(black, content.last.proprio, "put", 1.0), content.ending)
    recording.seal(content.signal)
    # 12 decisions have 13 views: two chunks of ten.
    names = sorted(path.name for path in (data(run) / "images" / "front").glob("c.*"))
    assert names == ["c.0.0.0.0", "c.1.0.0.0"]


@pytest.mark.parametrize("victim", ["images/wrist/c.1.0.0.0", "tokens/c.0.0", "progress/c.0"])
def test_one_flipped_bit_names_episode_array_and_chunk_and_spares_the_others(run, store, victim):
    seal(store, 1), seal(store, 2)
    file = data(run) / victim
    altered = bytearray(file.read_bytes())
    altered[len(altered) // 2] ^= 1
    file.write_bytes(altered)
    array, _, chunk = victim.rpartition("/")
    with pytest.raises(DataError, match=rf"000001.*{array} chunk {chunk[2:]}"):
        store.read("000001")
    assert differences(seeded(2, 12), store.read("000002")) == []
    found = ZarrReader(run).verify()
    assert [(f.episode, f.array, f.chunk) for f in found] == [("000001", array, chunk[2:])]
    with pytest.raises((ValueError, RuntimeError)):  # plain Zarr readers meet the crc32c
        zarr.open_group(data(run), mode="r")[array][:]


def test_a_deleted_chunk_is_reported_and_never_read_as_zeros(run, store):
    seal(store)
    (data(run) / "images/front/c.0.0.0.0").unlink()
    with pytest.raises(DataError, match=r"000001.*images/front chunk 0\.0\.0\.0.*missing"):
        store.read("000001")
    assert [f.chunk for f in ZarrReader(run).verify("000001")] == ["0.0.0.0"]


def test_a_truncated_array_metadata_file_is_reported(run, store):
    seal(store)
    file = data(run) / "track" / "zarr.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"000001.*track chunk zarr.json"):
        store.read("000001")


def rewrite_record(run, change):
    """Alter episode.json as a forger would: with its own hash made right again."""
    folder = run / "episodes" / "000001"
    values = json.loads((folder / "episode.json").read_text())
    change(values)
    from agent.store import record

    values["sha256"] = record._own_hash(values)
    (folder / "episode.json").write_text(json.dumps(values))


def test_an_episode_by_a_newer_program_is_refused_and_says_by_which(run, store):
    seal(store)
    rewrite_record(run, lambda values: values.update(schema_version=99, vlarl_version="7.8.9"))
    with pytest.raises(DataError, match=r"made by 7\.8\.9"):
        store.read("000001")
    store.close()
    again = ZarrStore(run)
    again.open()  # a newer episode is not broken: it stays where it is
    assert again.ids() == ("000001",)
    again.close()


def test_metadata_that_claims_a_petabyte_is_refused_before_anything_is_read(run, store):
    from agent.store.hashes import FileHash

    seal(store)
    file = data(run) / "time_s" / "zarr.json"
    bomb = file.read_text().replace("13", str(10**14))  # 13 views
    file.write_text(bomb)

    def forge(values):
        found = FileHash.of(bomb.encode())
        values["files"]["time_s/zarr.json"] = {"size": found.size, "sha256": found.sha256}

    rewrite_record(run, forge)
    with pytest.raises(DataError, match="claims"):
        store.read("000001")
    assert "claims" in ZarrReader(run).verify()[0].what


def test_a_record_that_names_files_outside_its_folder_is_refused(run, store):
    seal(store)
    rewrite_record(
        run, lambda values: values["files"].update({"../../x": {"size": 1, "sha256": ""}})
    )
    with pytest.raises(DataError, match="outside"):
        store.read("000001")


def test_a_torn_record_is_set_aside_at_the_next_start_and_the_manifest_mended(run, store):
    seal(store, 1), seal(store, 2)
    store.close()
    (run / "episodes" / "000001" / "episode.json").write_text('{"schema_ver')
    assert "torn" in str(ZarrReader(run).verify()[0])
    again = ZarrStore(run)
    again.open()
    assert again.ids() == ("000002",)
    assert [row.id for row in again.summaries()] == ["000002"]
    assert (run / "quarantine" / "000001").is_dir()
    assert seal(again) == "000003"
    again.close()


def test_a_torn_missing_or_lying_manifest_is_rebuilt_from_the_folders(run, store):
    seal(store, 1), seal(store, 2)
    store.close()
    manifest = run / "manifest.jsonl"
    right = manifest.read_text()
    lie = right.splitlines()[0].replace("000001", "000077") + "\n"
    for wrong in (right[:-30], "", lie + right, right.splitlines()[1] + "\n", "\x00[]\n1\n"):
        manifest.write_text(wrong)
        assert [row.id for row in ZarrReader(run).summaries()] == ["000001", "000002"]
        again = ZarrStore(run)
        again.open()
        again.close()
        assert manifest.read_text() == right


def test_an_episode_the_manifest_lists_but_nobody_has_is_a_finding(run, store):
    seal(store, 1)
    (run / "episodes" / "000001").rename(run / "gone")
    assert [f.episode for f in ZarrReader(run).verify()] == ["000001"]


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


def test_an_atomic_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    atomic_write_text(path, "old")

    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "write_all", full)
    with pytest.raises(StorageError, match=r"x\.json.*free some space"):
        atomic_write_text(path, "new")
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("x.json", "old")]


def test_a_run_is_made_once_and_read_back_and_a_newer_one_refused(tmp_path):
    made = create_run(tmp_path / "a" / "b", {"run": {"seed": 3}}, {"run.seed": "flag"})
    assert open_run(tmp_path / "a" / "b") == made
    with pytest.raises(UsageError, match="already"):
        create_run(tmp_path / "a" / "b", {}, {})
    with pytest.raises(UsageError, match="no run"):
        open_run(tmp_path)
    file = tmp_path / "a" / "b" / "run.json"
    file.write_text(file.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(DataError, match="made by"):
        ZarrStore(tmp_path / "a" / "b").open()
    file.write_text("{")
    with pytest.raises(DataError, match="torn"):
        open_run(tmp_path / "a" / "b")


def test_listings_tell_the_same_as_the_store(run, store):
    seal(store, 2, use="learn")
    store.begin(Task("t[b]", "", 0, 9), ADAPTER, 1.0).abandon("enough")
    rows = json.loads(listing.ls(run, json=True))
    assert [(row["id"], row["ending"]) for row in rows] == [
        ("000001", "success"),
        ("000002", "interrupted"),
    ]
    assert "t[b]" in listing.ls(run, json=False)
    assert json.loads(listing.show(run, "000001", json=True))["decisions"] == 12
    assert "seeded/1" in listing.show(run, "000001", json=False)
    text, sound = listing.verify(run, json=False)
    assert sound
    assert text == "1 sound"
    (data(run) / "tokens" / "c.0.0").unlink()
    text, sound = listing.verify(run, json=False)
    assert not sound
    assert "array tokens chunk 0.0: missing" in text
    assert json.loads(listing.verify(run, json=True)[0])["findings"][0]["episode"] == "000001"


def test_the_record_lists_every_file_of_the_episode(run, store):
    seal(store)
    listed = set(read_record(run / "episodes" / "000001").files)
    there = {path.relative_to(data(run)).as_posix() for path in data(run).rglob("*.*")}
    assert listed == {path for path in there if (data(run) / path).is_file()}
    assert {f"{name}/zarr.json" for name in arrays.DIMENSIONS} <= listed
