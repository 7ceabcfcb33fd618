"""Episodes made elsewhere: what comes in is right, and what is hostile stays out."""

import json
import stat
import zipfile

import h5py
import numpy as np
import pytest

from agent.episode import Terminated, Truncated, Verdict
from agent.errors import DataError, UsageError
from agent.store.importing import import_file
from agent.store.reader import ZarrReader
from agent.store.run import create_run
from benchmarks.seeded_episodes import differences, seeded
from tests.store.demo_files import STEPS, WORDS, libero_values, write_libero, write_robomimic
from tests.store.sealed import data, seal


def test_a_demonstration_of_libero_is_turned_upright_and_answered_by_the_action_after_its_view(
    tmp_path,
):
    run = tmp_path / "run"
    assert import_file(write_libero(tmp_path / "a.hdf5"), run) == ("000001", "000002")
    raw = libero_values(1)
    scored = ZarrReader(run).read("000002")
    episode = scored.episode
    # Its recorder looks after each action, so 7 views enclose 6 actions: those from the second on.
    assert len(episode.steps) == 6
    for index, step in enumerate(episode.steps):
        image = step.observation.images["agentview"]
        assert np.array_equal(image, raw["agentview_rgb"][index, ::-1, ::-1])
        action = step.decision.actions[0]
        assert np.array_equal(action.delta, raw["actions"][index + 1, :6].astype(np.float32))
        assert action.gripper == (1.0 if raw["actions"][index + 1, 6] == -1 else 0.0)
        assert step.observation.time_s == index / 20
        assert np.array_equal(step.track[0], _felt(raw, index + 1))
    assert np.array_equal(episode.last.proprio, _felt(raw, 6))
    last = raw["eye_in_hand_rgb"][6, ::-1, ::-1]
    assert np.array_equal(episode.last.images["eye_in_hand"], last)
    assert episode.task.name == "libero_object/pick_up_the_soup"
    assert (episode.task.instruction, episode.task.start, episode.adapter) == (WORDS, 1, "expert")
    assert (episode.ending, scored.signal.verdict) == (Terminated("success"), Verdict.SUCCESS)
    assert ZarrReader(run).summaries()[0].use == "demonstration"
    assert ZarrReader(run).verify() == ()


def _felt(raw, index):
    both = np.concatenate([raw["ee_states"][index], raw["gripper_states"][index]])
    return both.astype(np.float32)


def test_a_demonstration_of_robomimic_is_answered_by_the_action_of_its_own_row(tmp_path):
    raw = write_robomimic(tmp_path / "a.h5", success=False)
    import_file(tmp_path / "a.h5", tmp_path / "run")
    scored = ZarrReader(tmp_path / "run").read("000001")
    steps = scored.episode.steps
    assert len(steps) == STEPS - 1
    assert np.array_equal(steps[2].observation.images["agentview"], raw["agentview_image"][2])
    first = steps[0].decision.actions[0]
    assert np.array_equal(first.delta, raw["actions"][0, :6].astype(np.float32))
    assert first.gripper == 1.0
    # half a radian about z is the axis-angle (0, 0, 0.5)
    assert np.allclose(steps[0].observation.proprio[3:6], [0, 0, 0.5], atol=1e-6)
    assert steps[3].observation.time_s == 3 / 10
    assert (scored.episode.task.name, scored.episode.task.start) == ("Lift", 3)
    assert scored.signal.verdict is Verdict.FAILURE
    assert scored.episode.ending == Truncated("timeout")


def test_an_import_that_is_repeated_brings_only_what_is_missing(tmp_path):
    run, file = tmp_path / "run", tmp_path / "a.hdf5"
    write_libero(file, demos=1)
    assert import_file(file, run) == ("000001",)
    write_libero(file, demos=3)
    assert import_file(file, run) == ("000002", "000003")
    assert import_file(file, run) == ()


def change(work):
    def changed(path):
        write_libero(path)
        with h5py.File(path, "r+") as file:
            work(file, file["data/demo_1"])

    return changed


def replace(key, make):
    def work(_, demo):
        parent = demo if key == "actions" else demo["obs"]
        del parent[key]
        make(parent, key)

    return change(work)


def external(parent, key):
    parent[key] = h5py.ExternalLink("other.hdf5", "/data")


def elsewhere(parent, key):
    shape, kind = (STEPS, 16, 16, 3), np.uint8
    files = [("/etc/hostname", 0, STEPS * 768)]
    parent.create_dataset(key, shape, kind, external=files)


def unwritten(parent, key):
    parent.create_dataset(key, (1 << 16, 128, 128, 3), np.uint8, chunks=(1, 128, 128, 3))


def huge(parent, key):
    parent.create_dataset(key, (1 << 30, 1 << 12, 1 << 12, 3), np.uint8, chunks=(1, 64, 64, 3))


HOSTILE = {
    "a link to another file": (replace("agentview_rgb", external), "not in this file"),
    "values in other files": (replace("agentview_rgb", elsewhere), "other files"),
    "a shape that nothing is stored of": (replace("agentview_rgb", unwritten), "1000 to 1"),
    "a shape of petabytes": (replace("agentview_rgb", huge), "1000 to 1"),
    "no pictures": (change(lambda _, d: d["obs"].clear()), "want pictures"),
    "lengths that differ": (
        replace("ee_states", lambda p, k: p.create_dataset(k, data=np.zeros((3, 6)))),
        "ee_states 3",
    ),
    "actions of another width": (
        replace("actions", lambda p, k: p.create_dataset(k, data=np.zeros((STEPS, 9)))),
        r"actions: want 2 dimensions, the last 7",
    ),
    "actions in other units": (
        replace("actions", lambda p, k: p.create_dataset(k, data=np.full((STEPS, 7), 40.0))),
        "from -1 to 1, found 40",
    ),
    "NaN": (
        replace("ee_states", lambda p, k: p.create_dataset(k, data=np.full((STEPS, 6), np.nan))),
        "NaN",
    ),
    "a dataset for a group": (
        change(lambda f, _: (f["data"].pop("demo_1"), f["data"].create_dataset("demo_1", data=1))),
        "want a group",
    ),
    "an instruction as long as a book": (
        change(lambda f, _: f["data"].attrs.update(
            problem_info=json.dumps({"language_instruction": "lift " * 500}))),
        "limit is 512",
    ),
    "attributes that are no JSON": (
        change(lambda f, _: f["data"].attrs.update(problem_info="{")), "not JSON",
    ),
    "another format": (lambda path: path.write_bytes(b"PK\3\4 and so on"), "no HDF5"),
    "an empty file": (lambda path: path.write_bytes(b""), "no HDF5"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_hdf5_file_is_refused_and_says_why(tmp_path, kind):
    make, why = HOSTILE[kind]
    file = tmp_path / "a.hdf5"
    make(file)
    with pytest.raises(DataError, match=why):
        import_file(file, tmp_path / "run")
    # The second demonstration is the bad one: the first may be in, whole.
    assert ZarrReader(tmp_path / "run").verify() == ()


def test_a_torn_hdf5_file_is_refused(tmp_path):
    file = write_libero(tmp_path / "a.hdf5")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DataError, match="a\\.hdf5"):
        import_file(file, tmp_path / "run")


def test_a_flipped_bit_in_a_checked_hdf5_file_is_refused(tmp_path):
    file = write_libero(tmp_path / "a.hdf5", demos=1, fletcher32=True, chunks=True)
    stored = libero_values(0)["agentview_rgb"].tobytes()[:64]
    content = bytearray(file.read_bytes())
    content[content.index(stored)] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="demo_0: damaged"):
        import_file(file, tmp_path / "run")


@pytest.fixture
def packed(run, store, tmp_path):
    """Make a zip of one sealed episode, as `zip -r` does."""
    seal(store, 2, use="learn")
    file = tmp_path / "one.zip"
    folder = run / "episodes" / "000001"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(folder.rglob("*")):
            made.write(path, path.relative_to(folder.parent))
    return file


def test_a_zipped_episode_gets_the_next_id_of_its_new_run(packed, tmp_path):
    other = tmp_path / "other"
    assert import_file(packed, other) == ("000001",)
    assert import_file(packed, other) == ("000002",)
    found = ZarrReader(other).read("000002")
    assert found.episode.id == "000002"
    assert differences(seeded(2, 12), found) == []
    assert ZarrReader(other).verify() == ()
    assert [row.id for row in ZarrReader(other).summaries()] == ["000001", "000002"]


def add(name, content=b"x", mode=stat.S_IFREG):
    def work(packed):
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        packed.writestr(info, content)

    return work


def many(packed):
    for number in range(20_001):
        packed.writestr(f"000001/{number}", b"")


ARCHIVES = {
    "a file outside": (add("../../outside"), "outside"),
    "a file at the root": (add("/outside"), "outside"),
    "a link": (add("000001/data.zarr/link", b"/etc", stat.S_IFLNK), "link"),
    "a bomb": (add("000001/data.zarr/zeros", bytes(20 << 20)), "1000 to 1"),
    "20001 files more": (many, "limit is 20000"),
    "a stranger": (add("000001/data.zarr/more"), "not part of the episode"),
    "a second episode": (add("000002/episode.json"), "want the folder of one episode"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_hostile_zip_is_refused_with_the_limit_and_leaves_nothing_behind(packed, tmp_path, kind):
    work, why = ARCHIVES[kind]
    with zipfile.ZipFile(packed, "a") as made:
        work(made)
    other = tmp_path / "other"
    create_run(other, {}, {})
    before = {path for path in tmp_path.rglob("*") if other not in path.parents}
    with pytest.raises(DataError, match=why):
        import_file(packed, other)
    assert ZarrReader(other).ids() == ()
    assert list((other / "staging").iterdir()) == []
    assert {path for path in tmp_path.rglob("*") if other not in path.parents} == before | {other}


@pytest.mark.parametrize("name", ["broken.zip", "broken.hdf5"])
def test_an_import_of_nothing_leaves_no_run_behind_but_the_one_that_was_there(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive at all")
    with pytest.raises(DataError):
        import_file(tmp_path / name, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    create_run(tmp_path / "old", {}, {})
    with pytest.raises(DataError):
        import_file(tmp_path / name, tmp_path / "old")
    assert (tmp_path / "old" / "run.json").is_file()


def test_a_zip_with_an_altered_file_is_refused(run, packed, tmp_path):
    altered = tmp_path / "altered.zip"
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(altered, "w") as made:
        for each in old.infolist():
            content = bytearray(old.read(each))
            if each.filename.endswith("tokens/c.0.0"):
                content[-1] ^= 1
            made.writestr(each, bytes(content))
    with pytest.raises(DataError, match="tokens"):
        import_file(altered, tmp_path / "other")
    assert data(run).is_dir()


def test_other_kinds_of_files_and_absent_ones_are_usage_errors(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"")
    for name in ("a.tar", "absent.hdf5", "absent.zip"):
        with pytest.raises(UsageError):
            import_file(tmp_path / name, tmp_path / "run")
