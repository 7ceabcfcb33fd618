"""fsck, compact and prune: what they change, what they never change, and death on the way."""

import json
import shutil

import numpy as np
import pytest
import zarr

from agent.episode import Task
from agent.errors import DataError, StorageError, UsageError
from agent.store import chores
from agent.store.chores import compacted, mended, pruned
from agent.store.folders import Folders
from agent.store.prune import Limits
from agent.store.reader import ZarrReader
from agent.store.record import read_record
from agent.store.zarr_store import ZarrStore
from benchmarks.faulty_disk import DEATH
from benchmarks.seeded_episodes import ADAPTER, differences, seeded
from benchmarks.upkeep_faults import (
    broken_promises,
    copied,
    do,
    make_run,
    operations,
    strike,
)
from tests.store.sealed import data, seal


@pytest.fixture(scope="module")
def sealed_run(tmp_path_factory):
    """Seal three episodes of 23 decisions, once."""
    run = tmp_path_factory.mktemp("upkeep") / "run"
    store = ZarrStore(run)
    store.open()
    for seed in (1, 2, 3):
        seal(store, seed, 23, use="learn")
    store.close()
    return run


@pytest.fixture
def three(sealed_run, tmp_path):
    """Copy the run of three episodes; nobody writes it any more."""
    return shutil.copytree(sealed_run, tmp_path / "three")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Record three sealed episodes and one broken off, once."""
    run = tmp_path_factory.mktemp("template") / "run"
    make_run(run)
    return run


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_compacting_leaves_one_file_a_camera_and_every_bit_as_it_was(three):
    before = zarr.open_group(data(three), mode="r")
    values = {name: np.asarray(before[name]) for name in ("images/front", "tokens", "applied")}
    facts = dict(before.attrs)
    # 19 arrays of two files, two of pictures with three chunks each, and two groups: 38 + 8 + 2.
    # Three chunks become one: 4 files less in each of three episodes.
    text = compacted(three, dry_run=False, as_json=False)
    assert "3 episodes compacted: 144 files to 132" in text
    for seed in (1, 2, 3):
        assert differences(seeded(seed, 23), ZarrReader(three).read(f"{seed:06d}")) == []
    assert [each.name for each in sorted((data(three) / "images" / "front").iterdir())] == [
        "c.0.0.0.0",
        "zarr.json",
    ]
    after = zarr.open_group(data(three), mode="r")
    assert dict(after.attrs) == facts
    for name, wanted in values.items():
        assert np.array_equal(after[name], wanted, equal_nan=True)
    assert after["images/front"].chunks[0] == 10
    assert after["images/front"].shards[0] == 30
    assert ZarrReader(three).verify() == ()
    assert compacted(three, dry_run=False, as_json=False).startswith("0 episodes")


def test_a_flipped_bit_in_a_compacted_episode_is_found_by_us_and_by_plain_zarr(three):
    compacted(three, dry_run=False, as_json=False)
    flip(data(three) / "images" / "wrist" / "c.0.0.0.0")
    with pytest.raises(DataError, match=r"000001.*images/wrist"):
        ZarrReader(three).read("000001")
    with pytest.raises((ValueError, RuntimeError)):
        zarr.open_group(data(three), mode="r")["images/wrist"][:]
    assert differences(seeded(2, 23), ZarrReader(three).read("000002")) == []


def test_a_damaged_episode_is_not_compacted(three):
    flip(data(three) / "tokens" / "c.0.0")
    text = compacted(three, dry_run=False, as_json=False)
    assert "episode 000001: left as it is" in text
    assert "2 episodes compacted" in text
    assert len(list((data(three) / "images" / "front").iterdir())) == 4


def test_a_reader_goes_on_while_the_episode_is_compacted_under_its_hands(three, monkeypatch):
    from agent.store import reader

    real, calls = reader.check_files, []

    def compacted_in_between(folder, record):
        if not calls:
            calls.append(1)
            compacted(three, dry_run=False, as_json=False)
        return real(folder, record)

    monkeypatch.setattr(reader, "check_files", compacted_in_between)
    assert differences(seeded(2, 23), ZarrReader(three).read("000002")) == []
    assert calls


def test_fsck_tells_first_and_then_mends_and_nothing_sound_is_touched(three):
    flip(data(three, "000002") / "images" / "front" / "c.1.0.0.0")
    manifest = three / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-30])
    (three / "staging" / "000009.compact").mkdir()
    before = sorted(three.rglob("*"))
    text, sound = mended(three, dry_run=True, as_json=False)
    assert not sound
    assert sorted(three.rglob("*")) == before
    lines = text.splitlines()
    assert lines[0] == "000009.compact was left in staging by work cut short: would be removed"
    assert "array images/front chunk 1.0.0.0: checksum" in lines[1]
    assert lines[1].endswith("would be set aside in quarantine")
    assert lines[2] == "episode 000003: not in the manifest: would be listed, where it can be read"
    assert len(lines) == 3
    done = json.loads(mended(three, dry_run=False, as_json=True)[0])
    assert [fault["episode"] for fault in done["faults"]] == ["", "000002", "000003"]
    assert mended(three, dry_run=True, as_json=False) == ("all in order", True)
    reader = ZarrReader(three)
    assert reader.ids() == ("000001", "000003")
    [aside] = reader.quarantined()
    assert (aside.episode, len(aside.why)) == ("000002", 1)
    assert "images/front chunk 1.0.0.0" in aside.why[0]
    assert [row.id for row in reader.summaries()] == ["000001", "000003"]


def test_a_second_name_of_a_sealed_episode_goes_and_another_episode_of_its_id_is_kept(three):
    folders = Folders(three)
    shutil.copytree(folders.episodes / "000001", folders.staging / "000001")
    shutil.copytree(folders.episodes / "000003", folders.staging / "000002")
    text, _ = mended(three, dry_run=True, as_json=False)
    assert text.count("a power cut left its old name") == text.count("somebody copied") == 1
    store = ZarrStore(three)
    store.open()
    store.close()
    assert [each.name for each in folders.quarantine.iterdir() if each.is_dir()] == ["000002"]
    assert list(folders.staging.iterdir()) == []
    assert ZarrReader(three).ids() == ("000001", "000002", "000003")


def test_a_dry_run_of_fsck_takes_a_running_episode_for_no_fault(three):
    store = ZarrStore(three)
    store.open()
    recording = store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    recording.append(seeded(1, 1).steps[0])
    assert mended(three, dry_run=True, as_json=False) == ("all in order", True)
    with pytest.raises(StorageError):
        ZarrStore(three).open()  # the look has not taken the lock from the writer
    recording.abandon("enough")
    store.close()


def test_fsck_leaves_an_episode_of_a_newer_program_where_it_is(three):
    from agent.store import record

    file = three / "episodes" / "000001" / "episode.json"
    values = json.loads(file.read_text())
    values.update(schema_version=99, vlarl_version="7.8.9")
    values["sha256"] = record._own_hash(values)
    file.write_text(json.dumps(values))
    text, sound = mended(three, dry_run=False, as_json=False)
    assert not sound
    assert "made by 7.8.9" in text
    assert file.is_file()


def test_fsck_compact_and_prune_wait_for_no_writer_but_refuse(three):
    store = ZarrStore(three)
    store.open()
    for chore in ("fsck", "compact", "prune"):
        with pytest.raises(StorageError, match="being written"):
            do(chore, three)
    store.close()
    with pytest.raises(UsageError, match="no run folder"):
        mended(three / "none", dry_run=True, as_json=False)


def test_pruning_says_first_and_removes_only_when_told_and_no_id_comes_again(three):
    limits = Limits(episodes=1)
    text = pruned(three, limits, lambda _: "", dry_run=True, as_json=False)
    assert "give --yes" in text
    assert len(ZarrReader(three).ids()) == 3
    pruned(three, Limits(episodes=0), lambda row: "" if row.id == "000003" else "held",
           dry_run=False, as_json=False)  # fmt: skip
    assert ZarrReader(three).ids() == ("000001", "000002")
    assert ZarrReader(three).verify() == ()
    store = ZarrStore(three)
    store.open()
    assert seal(store) == "000004"
    store.close()
    [line] = (three / "pruned.jsonl").read_text().splitlines()
    assert json.loads(line)["summary"]["id"] == "000003"
    with pytest.raises(UsageError, match="wants a limit"):
        pruned(three, Limits(), lambda _: "", dry_run=True, as_json=False)


def test_an_episode_that_was_packed_with_bitshuffle_reads_back_and_is_salvaged(run):
    store = ZarrStore(run, codecs={"front": "bitshuffle"})
    store.open()
    seal(store, 1)
    recording = store.begin(Task("t", "", 0, 9), ADAPTER, 1.0)
    for step in seeded(2, 23).steps:
        recording.append(step)
    recording.abandon("enough")
    store.close()
    assert differences(seeded(1, 12), ZarrReader(run).read("000001")) == []
    codecs = [
        zarr.open_group(data(run), mode="r")[f"images/{name}"].metadata.to_dict()["codecs"][1]
        for name in ("front", "wrist")
    ]
    assert [codec["name"] for codec in codecs] == ["blosc", "zstd"]
    assert codecs[0]["configuration"]["shuffle"] == "bitshuffle"
    assert read_record(run / "interrupted" / "000002").summary.decisions == 23
    compacted(run, dry_run=False, as_json=False)
    assert differences(seeded(1, 12), ZarrReader(run).read("000001")) == []


@pytest.mark.slow
@pytest.mark.parametrize("chore", ["fsck", "compact", "prune"])
def test_death_at_some_file_operations_of_a_chore_loses_nothing(tmp_path, template, chore):
    # `python -m benchmarks.crash_table` takes every one of them.
    last = operations(chore, template, tmp_path / "count")
    for k in (last // 3, last - 4):
        run = tmp_path / str(k)
        assert strike(chore, template, run, k) == DEATH
        assert broken_promises(chore, run) == []


@pytest.mark.slow
def test_a_full_disk_in_a_chore_is_a_storage_error_and_loses_nothing(tmp_path, template):
    for chore, k in (("fsck", 30), ("compact", 60), ("prune", 5)):
        run = tmp_path / chore
        assert strike(chore, template, run, k, error=28) == 0
        assert broken_promises(chore, run) == []


def test_the_checker_of_chores_sees_a_lost_episode(tmp_path, template):
    copied("compact", template, tmp_path / "run")
    (tmp_path / "run" / "episodes" / "000001").rename(tmp_path / "gone")
    assert "episode 000001 is lost" in broken_promises("compact", tmp_path / "run")


def test_the_new_form_of_an_episode_that_would_read_otherwise_is_thrown_away(three, monkeypatch):
    from agent.store import compact

    real = compact._rewritten

    def altered(folder, record):
        for path, content in real(folder, record):
            other = (folder / "log_probs" / "c.0.0").read_bytes()
            yield path, other if path == "tokens/c.0.0" else content

    monkeypatch.setattr(compact, "_rewritten", altered)
    with pytest.raises(DataError, match="tokens"):
        chores.compacted(three, dry_run=False, as_json=False)
    assert differences(seeded(1, 23), ZarrReader(three).read("000001")) == []
