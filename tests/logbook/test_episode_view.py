"""One episode from the inside: against the store's own reading and the learner's own sums."""

import shutil

import numpy as np
import pytest

from agent import logbook
from agent.episode import RewardSignal, Terminated, Verdict
from agent.errors import DataError, UsageError
from agent.learn import gae
from agent.learn.explanation import read
from agent.learn.recount import recount
from agent.reward.shaping import shape
from agent.store.chores import compacted
from agent.store.layout import action_rows
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from tests.logbook.acted import TASK, step, view


def test_every_number_is_the_one_that_was_recorded(whole_run):
    scored = whole_run.episodes[4]
    seen = logbook.episode(whole_run.folder, scored.episode.id)
    tracks, steps = seen.seen.tracks, scored.episode.steps
    assert (seen.seen.missing, seen.damage) == ((), ())
    assert tracks.decisions == len(steps) == tracks.views - 1
    for index, each in enumerate(steps):
        assert np.array_equal(tracks.proprio[index], each.observation.proprio)
        assert np.array_equal(tracks.log_probs[index], each.decision.log_probs)
        assert np.array_equal(tracks.requested[index], action_rows(each.decision.actions))
        taken = len(each.applied)
        assert np.array_equal(tracks.applied[index, :taken], action_rows(each.applied))
        assert np.isnan(tracks.applied[index, taken:]).all()
        assert np.array_equal(tracks.executed[index], each.executed)
    assert np.array_equal(tracks.progress, scored.signal.progress)
    learn = whole_run.settings.learn
    rewards = shape(scored, learn.gamma, learn.progress_weight, learn.shaping)
    assert np.array_equal(seen.seen.rewards.total, rewards.total)


def test_pictures_are_those_recorded_and_few_are_kept(whole_run, monkeypatch):
    scored = max(whole_run.episodes, key=lambda each: len(each.episode.steps))
    frames = logbook.Frames(whole_run.folder, scored.episode.id)
    views = [*(each.observation for each in scored.episode.steps), scored.episode.last]
    for index, seen in enumerate(views):
        for camera in frames.cameras:
            assert np.array_equal(frames.frame(camera, index), seen.images[camera])
    assert frames.kept_bytes == sum(2 * 32 * 32 * 3 for _ in views)
    monkeypatch.setattr("agent.logbook.frames.CHUNKS", 1)
    for camera in frames.cameras:
        frames.frame(camera, 0)
        few = logbook.Frames(whole_run.folder, scored.episode.id)
        few.frame(camera, 0)
        assert few.kept_bytes == len(views) * 32 * 32 * 3
    with pytest.raises(DataError, match="no view"):
        frames.frame(frames.cameras[0], len(views))


def test_an_update_leaves_the_probabilities_that_its_candidate_really_gives(whole_run):
    report = whole_run.reports[0]
    policy = whole_run.parts.policy
    policy.load(whole_run.folder / "adapters" / report.adapter, report.adapter)
    k3 = []
    for scored in whole_run.episodes[:8]:
        told = logbook.episode(whole_run.folder, scored.episode.id).explained
        again = recount(policy, scored)
        carried = np.repeat([each.executed for each in scored.episode.steps], 7, axis=1)
        seen = carried.any(1)
        assert np.abs(told.before - again.then)[seen].max() < 1e-6
        assert np.abs(told.after - again.now)[seen].max() < 1e-4
        assert np.isnan(told.after[~seen]).all()
        gap = (told.after - told.before)[carried]
        k3 += list(np.exp(gap) - 1 - gap)
    # docs/metrics.md: mean of r - 1 - log r over tokens that were carried out
    assert np.mean(k3) == pytest.approx(report.metrics["update/kl_step"], rel=1e-4)


def test_an_update_leaves_its_advantages_and_rewards(whole_run):
    report = whole_run.reports[0]
    learn = whole_run.settings.learn
    told = read(whole_run.folder / "updates" / "0001.safetensors")
    assert tuple(told) == report.episodes
    for scored in whole_run.episodes[:8]:
        each = told[scored.episode.id]
        rewards = shape(scored, learn.gamma, learn.progress_weight, learn.shaping)
        assert np.array_equal(each.sparse, rewards.sparse)
        if report.metrics["critic/used"]:
            wanted = gae.advantages(
                rewards.total, each.value, learn.gamma, learn.gae_lambda,
                terminated=isinstance(scored.episode.ending, Terminated),
            )  # fmt: skip
            assert np.array_equal(each.advantage, wanted)
        else:
            assert np.isnan(each.value).all()
    advantage = np.concatenate([each.advantage for each in told.values()])
    weighed = np.concatenate([each.weighed for each in told.values()])
    assert advantage.std() == pytest.approx(report.metrics["update/advantage_std"], rel=1e-5)
    assert weighed.mean() == pytest.approx(0.0, abs=1e-6)


def test_explanations_lie_beside_the_reports_and_not_in_the_adapters(whole_run):
    assert sorted(path.name for path in (whole_run.folder / "updates").iterdir()) == [
        name for n in range(1, len(whole_run.reports) + 1)
        for name in (f"{n:04d}.json", f"{n:04d}.safetensors")
    ]  # fmt: skip
    assert not list((whole_run.folder / "adapters").rglob("explanation*"))


def test_an_explanation_that_no_report_commits_is_cleared_by_the_next_writer(copy):
    from agent.learn.ledger import Ledger

    stray = shutil.copy(
        copy / "updates" / "0001.safetensors", copy / "updates" / "0099.safetensors"
    )
    kept = (copy / "updates" / "0001.safetensors").read_bytes()
    Ledger(copy).open()
    assert not stray.exists()
    assert (copy / "updates" / "0001.safetensors").read_bytes() == kept


def test_the_running_episode_is_read_from_its_log(tmp_path):
    create_run(tmp_path / "run", {}, {})
    store = ZarrStore(tmp_path / "run")
    store.open()
    recording = store.begin(TASK, "base", 1.0)
    assert logbook.episode(tmp_path / "run", "000001").seen is None
    for number in range(3):
        recording.append(step(number))
    now = logbook.episode(tmp_path / "run", "000001")
    assert (now.status, now.seen.tracks.decisions, now.damage) == ("running", 3, ())
    assert now.seen.tracks.tokens[:, 0].tolist() == [0, 1, 2]
    assert now.row.summary.decisions == 3
    recording.finish(view(3.0), Terminated("success"))
    recording.seal(RewardSignal(np.zeros(4, np.float32), 1.0, Verdict.SUCCESS, "judge/1"))
    sealed = logbook.episode(tmp_path / "run", "000001")
    store.close()
    assert (sealed.status, sealed.seen.tracks.views) == ("sealed", 4)
    # acted.step: seen at n, decided 20 ms later, sent 5 ms after that, applied 5 ms after that
    assert sealed.seen.tracks.think_s == pytest.approx([0.02] * 3)
    assert sealed.seen.tracks.send_s == pytest.approx([0.005] * 3)
    assert sealed.seen.tracks.apply_s == pytest.approx([0.005] * 3)
    assert sealed.seen.tracks.elapsed_s.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_pictures_of_the_running_episode_are_seen_while_it_runs_and_after(tmp_path):
    create_run(tmp_path / "run", {}, {})
    store = ZarrStore(tmp_path / "run")
    store.open()
    recording = store.begin(TASK, "base", 1.0)
    recording.append(step(0))
    frames = logbook.Frames(tmp_path / "run", "000001")
    # 60 views: the ring holds 40, so the first ones can only come from their chunks
    for number in range(1, 60):
        recording.append(step(number))
        assert np.array_equal(frames.frame("front", number), view(float(number)).images["front"])
    for number in range(60):
        assert np.array_equal(frames.frame("front", number), view(float(number)).images["front"])
    with pytest.raises(DataError, match="no view 60 yet"):
        frames.frame("front", 60)
    recording.finish(view(60.0), Terminated("success"))
    recording.seal(RewardSignal(np.zeros(61, np.float32), 1.0, Verdict.SUCCESS, "judge/1"))
    store.close()
    assert np.array_equal(frames.frame("front", 60), view(60.0).images["front"])
    told = compacted(tmp_path / "run", dry_run=False, as_json=False)
    assert told.startswith("1 episodes compacted"), told
    assert np.array_equal(frames.frame("front", 0), view(0.0).images["front"])


@pytest.mark.parametrize("name", ["000099", "../x", "1", "", "000001/../000002"])
def test_an_episode_that_is_none_is_refused(whole_run, name):
    with pytest.raises(UsageError):
        logbook.episode(whole_run.folder, name)
