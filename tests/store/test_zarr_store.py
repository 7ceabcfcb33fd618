"""What the Zarr store promises beyond the contract: plain readers, damage, recovery, listings."""

import json

import numpy as np
import pytest
import zarr

from agent.episode import Task
from agent.errors import DataError
from agent.store import arrays, listing
from agent.store.reader import ZarrReader
from agent.store.record import read_record
from agent.store.zarr_store import ZarrStore
from benchmarks.seeded_episodes import ADAPTER, differences, seeded
from tests.store.sealed import data, seal


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


@pytest.mark.parametrize("what", ["chunk_shape", "shard"])
def test_metadata_whose_one_chunk_or_shard_fills_all_memory_is_refused(run, store, what):
    from agent.store.hashes import FileHash

    seal(store)
    file = data(run) / "proprio" / "zarr.json"
    values = json.loads(file.read_text())
    outer = values["chunk_grid"]["configuration"]["chunk_shape"]
    if what == "shard":
        inner = {"chunk_shape": [1, 9], "codecs": values["codecs"],
                 "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
                 "index_location": "end"}  # fmt: skip
        values["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]
    outer[0] = 10**12
    bomb = json.dumps(values)
    file.write_text(bomb)

    def forge(values):
        found = FileHash.of(bomb.encode())
        values["files"]["proprio/zarr.json"] = {"size": found.size, "sha256": found.sha256}

    rewrite_record(run, forge)
    with pytest.raises(DataError, match="claims"):
        store.read("000001")


def test_a_stranger_in_quarantine_or_staging_stops_no_start(run, store):
    seal(store, 1), seal(store, 2)
    store.close()
    for name in ("000001", "000002"):
        (run / "episodes" / name / "episode.json").write_text("{")
    (run / "quarantine" / "000001").mkdir(parents=True)
    (run / "quarantine" / "000001" / "older").write_text("set aside before")
    (run / "staging" / "notes.txt").write_text("a person's")
    again = ZarrStore(run)
    again.open()
    assert again.ids() == ()
    again.close()
    reasons = ZarrReader(run).quarantined()
    assert [(each.episode, bool(each.since)) for each in reasons] == [
        ("000001", False),
        ("000001", True),
        ("000002", True),
    ]
    assert (run / "quarantine" / "000001" / "older").is_file()
    assert (run / "staging" / "notes.txt").is_file()
