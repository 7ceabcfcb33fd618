"""The LeRobot dataset, read back with Parquet and FFmpeg alone."""

import json
from itertools import pairwise

import numpy as np
import pytest

av = pytest.importorskip("av")
pq = pytest.importorskip("pyarrow.parquet")

from agent.episode import Verdict  # noqa: E402
from agent.errors import DataError  # noqa: E402
from agent.export.lerobot import LeRobot  # noqa: E402
from agent.export.lerobot_stats import image_stats, together, vector_stats  # noqa: E402
from agent.export.part import Receipt  # noqa: E402
from agent.store.reader import ZarrReader  # noqa: E402
from agent.store.zarr_store import ZarrStore  # noqa: E402
from tests.store.sealed import seal  # noqa: E402

HZ = 10  # of the point robot


@pytest.fixture
def dataset(sent):
    return sent("lerobot")


def frames(dataset):
    paths = sorted(dataset.glob("data/*/*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def info(dataset):
    return json.loads((dataset / "meta" / "info.json").read_text())


def test_every_frame_has_its_index_timestamp_and_the_action_that_was_applied(dataset, episodes):
    wanted = []
    for number, scored in enumerate(episodes):
        applied = [action for step in scored.episode.steps for action in step.applied]
        for frame, action in enumerate(applied):
            wanted.append((len(wanted), number, frame, frame / HZ, [*action.delta, action.gripper]))
    found = frames(dataset)
    assert len(found) == len(wanted) > 0
    for row, (index, number, frame, at_s, action) in zip(found, wanted, strict=True):
        assert (row["index"], row["episode_index"], row["frame_index"]) == (index, number, frame)
        assert row["timestamp"] == np.float32(at_s)
        assert row["action"] == np.float32(action).tolist()


def test_the_state_of_a_frame_is_what_was_felt_before_its_action(dataset, episodes):
    # of the first control step of a decision the view's, of the second the track's first row
    number, step = next(
        (number, step)
        for number, scored in enumerate(episodes)
        for step in scored.episode.steps
        if len(step.applied) == 2 and step.track[0].any()
    )
    mine = [row for row in frames(dataset) if row["episode_index"] == number]
    at = 2 * episodes[number].episode.steps.index(step)
    found = [row["observation.state"] for row in mine[at : at + 2]]
    assert found == [step.observation.proprio.tolist(), step.track[0].tolist()]
    assert [row["view_fresh"] for row in mine[at : at + 2]] == [True, False]


def test_only_the_last_frame_of_a_success_is_rewarded(dataset, episodes):
    found = frames(dataset)
    ends = [row["index"] for row in found if row["next.done"]]
    assert len(ends) == len(episodes)
    won = [scored.signal.verdict is Verdict.SUCCESS for scored in episodes]
    assert 0 < sum(won) < len(won)
    assert [found[end]["next.success"] for end in ends] == won
    rewards = [row["next.reward"] for row in found]
    assert sum(rewards) == sum(won)
    assert all(found[i]["next.done"] for i, reward in enumerate(rewards) if reward)


def test_a_film_has_one_frame_a_row_at_its_timestamp_and_shows_the_view(dataset, episodes):
    for number, scored in enumerate(episodes):
        path = dataset / f"videos/observation.images.wrist/chunk-000/file-{number:03d}.mp4"
        with av.open(str(path)) as film:
            shown = list(film.decode(video=0))
        assert len(shown) == scored.episode.control_steps
        assert [frame.time for frame in shown] == [i / HZ for i in range(len(shown))]
        # the point robot's views are of one shade, ten times the number of the start
        shade = 10 * scored.episode.task.start
        assert abs(float(shown[-1].to_ndarray(format="rgb24").mean()) - shade) <= 2


def test_info_describes_every_column_and_counts_what_is_there(dataset, episodes):
    told, found = info(dataset), frames(dataset)
    films = {key for key, each in told["features"].items() if each["dtype"] == "video"}
    assert set(told["features"]) - films == set(found[0])
    assert {path.name for path in (dataset / "videos").iterdir()} == films
    assert (told["total_episodes"], told["total_frames"]) == (len(episodes), len(found))
    assert told["fps"] == HZ
    assert isinstance(told["fps"], int)
    for name, each in told["features"].items():
        if name not in films:
            assert np.size(found[0][name]) == each["shape"][0], name


def test_the_rows_of_episodes_tile_the_frames_and_name_their_files(dataset, episodes):
    rows = pq.read_table(dataset / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row["vlarl/id"] for row in rows] == [scored.episode.id for scored in episodes]
    assert rows[0]["dataset_from_index"] == 0
    assert all(a["dataset_to_index"] == b["dataset_from_index"] for a, b in pairwise(rows))
    for row in rows:
        place = info(dataset)["data_path"].format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        table = pq.read_table(dataset / place)
        assert (
            table.num_rows == row["length"] == row["dataset_to_index"] - row["dataset_from_index"]
        )
        assert set(table["episode_index"].to_pylist()) == {row["episode_index"]}


def test_the_tasks_are_the_index_of_their_data_frame(dataset):
    pandas = pytest.importorskip("pandas")
    tasks = pandas.read_parquet(dataset / "meta" / "tasks.parquet")
    assert [(task.name, int(task.task_index)) for _, task in tasks.iterrows()] == [("go right", 0)]


def test_the_statistics_of_the_whole_are_those_of_all_frames(dataset):
    told = json.loads((dataset / "meta" / "stats.json").read_text())
    actions = np.array([row["action"] for row in frames(dataset)])
    assert told["action"]["count"] == [len(actions)]
    np.testing.assert_allclose(told["action"]["mean"], actions.mean(0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(told["action"]["std"], actions.std(0), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(told["action"]["min"], actions.min(0))
    np.testing.assert_array_equal(told["action"]["max"], actions.max(0))


def test_statistics_of_images_count_every_pixel_of_every_channel():
    # red 0 and 255 half each: mean and standard deviation 1/2, median the lower one
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, :, 0] = 255
    found = image_stats([image, image])
    assert (found["mean"][0], found["std"][0]) == ([[0.5]], [[0.5]])
    assert (found["q10"][0], found["q50"][0], found["q90"][0]) == ([[0.0]], [[0.0]], [[1.0]])
    assert (found["max"][1], found["count"]) == ([[0.0]], [2])


def test_statistics_together_are_those_of_the_rows_together():
    rng = np.random.default_rng(0)
    parts = [rng.normal(i, 1 + i, (3 + i, 2)) for i in range(4)]
    found, want = together([vector_stats(each) for each in parts]), vector_stats(np.vstack(parts))
    for key in ("min", "max", "mean", "std", "count"):
        np.testing.assert_allclose(found[key], want[key], rtol=1e-12)


def test_an_episode_with_other_cameras_is_refused(tmp_path, episodes, point_run):
    rows = ZarrReader(point_run).summaries()
    form = LeRobot(HZ, "point", ())
    receipt = Receipt.of(rows[0].id, form.part(episodes[0], rows[0], []))
    store = ZarrStore(tmp_path / "other")
    store.open()
    other = seal(store)
    store.close()
    reader = ZarrReader(tmp_path / "other")
    with pytest.raises(DataError, match="other cameras or numbers"):
        form.part(reader.read(other), reader.summaries()[0], [receipt])


def test_a_second_instruction_becomes_a_second_task(episodes, point_run):
    row = ZarrReader(point_run).summaries()[0]
    form = LeRobot(HZ, "point", ())
    first = form.part(episodes[0], row, [])
    told = Receipt("000000", {}, {**first.facts, "task": "go left"})
    files = form.closing([told, Receipt.of(row.id, form.part(episodes[0], row, [told]))])
    import pyarrow

    tasks = pq.read_table(pyarrow.BufferReader(files["meta/tasks.parquet"])).to_pylist()
    assert [each["task_index"] for each in tasks] == [0, 1]
    assert [each["__index_level_0__"] for each in tasks] == ["go left", "go right"]
