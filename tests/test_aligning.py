"""A run whose pictures are aligned before anything is learned, on the point robot."""

import shutil

import numpy as np
import pytest
import torch

from agent.cli.evaluate import _folder
from agent.errors import DataError, UsageError
from agent.export.adapter_folder import AdapterJob, export_adapter
from agent.learn import training_views
from agent.learn.ledger import Ledger
from agent.learn.training_views import TrainingViews
from agent.policy.correction import FILE
from agent.policy.policy import VLAPolicy
from agent.store.run import open_run
from tests.point_robot import PX
from tests.whole_run import Run, told, weights

torch.set_num_threads(1)


def taught(point_checkpoint, folder, lighter):
    """The checkpoint, as if it had been taught in the point's world made lighter by so much."""
    shutil.copytree(point_checkpoint, folder)
    shades = np.array([10 * start + lighter for start in range(8)] * 6, np.uint8)
    pictures = np.broadcast_to(shades[:, None, None, None, None], (48, 2, PX, PX, 3))
    views = TrainingViews(("agentview", "wrist"), pictures, ("go right",) * 48)
    training_views.save(views, folder)
    return folder


def until(episodes, settings, folder):
    """Begin a run, and stop it once it has so many episodes."""
    begun = []
    with Run(settings, folder, lambda: begun[0].session.episodes >= episodes) as run:
        begun.append(run)
        return run.act()


@pytest.fixture(scope="module")
def lighter(point_checkpoint, tmp_path_factory):
    return taught(point_checkpoint, tmp_path_factory.mktemp("lighter") / "checkpoint", 120)


@pytest.fixture(scope="module")
def aligned(lighter, tmp_path_factory):
    """A run of 16 episodes: eight to align by, eight to learn from."""
    with Run(told(lighter, align=8, episodes=16), tmp_path_factory.mktemp("run") / "run") as run:
        return run.act()


def test_alignment_comes_first_and_every_later_adapter_sees_through_it(aligned):
    first, second = aligned.reports
    assert (first.adapter, first.parent, first.kept) == ("0001", "base", True)
    assert first.metrics["align/episodes"] == 8.0
    # Shades of ten times the start, 35 + 120 in the middle of those known, and of 255 in all.
    shades = [10 * scored.episode.task.start for scored in aligned.episodes[:8]]
    apart = (155 - float(np.median(shades))) / 255
    assert first.metrics["align/apart_before"] == pytest.approx(apart, abs=1e-6)
    assert first.metrics["align/apart_after"] < 0.06
    assert (second.adapter, second.parent) == ("0002", "0001")
    acted = [scored.episode.adapter for scored in aligned.episodes]
    assert acted == ["base"] * 8 + ["0001"] * 8
    assert set(first.episodes).isdisjoint(second.episodes)
    place = aligned.folder / "adapters"
    assert (place / "0001" / FILE).read_bytes() == (place / "0002" / FILE).read_bytes()


def test_who_loads_the_runs_adapter_sees_through_its_correction_and_the_base_does_not(
    aligned, lighter
):
    policy = VLAPolicy(lighter)
    views = [scored.episode.last for scored in aligned.episodes[:2]]
    inputs = policy.batch(views)
    with torch.inference_mode():
        bare = policy.patches(inputs)
        policy.load(_folder(str(aligned.folder)), "0002")
        through = policy.patches(inputs)
        assert policy.sight
        policy.load(None, "base")
        assert torch.equal(policy.patches(inputs), bare)
    assert not policy.sight
    assert float((through - bare).abs().max()) > 0.01


def test_an_alignment_that_died_before_its_report_is_made_again_bit_for_bit(
    aligned, lighter, tmp_path
):
    settings = told(lighter, align=8, episodes=16)
    until(8, settings, tmp_path / "run")
    assert not (tmp_path / "run" / "updates" / "0001.json").exists()
    shutil.copytree(aligned.folder / "adapters" / "0001", tmp_path / "run" / "adapters" / "0001")
    (tmp_path / "run" / "adapters" / "0001" / FILE).write_bytes(b"torn")
    with Run(settings, tmp_path / "run") as rest:
        rest.act()
    assert weights(tmp_path / "run") == weights(aligned.folder)


def test_a_run_resumed_after_its_alignment_learns_what_it_would_have(aligned, lighter, tmp_path):
    settings = told(lighter, align=8, episodes=16)
    begun = until(11, settings, tmp_path / "run")
    assert [report.adapter for report in begun.reports] == ["0001"]
    with Run(settings, tmp_path / "run") as rest:
        rest.act()
    assert weights(tmp_path / "run") == weights(aligned.folder)


def test_where_nothing_looks_otherwise_nothing_changes_and_no_episode_is_lost(
    point_checkpoint, tmp_path
):
    same = taught(point_checkpoint, tmp_path / "checkpoint", 0)
    with Run(told(same, align=8, episodes=8), tmp_path / "run") as run:
        run.act()
    looked, learned = run.reports
    assert (looked.kept, looked.episodes) == (False, ())
    assert "nothing surely looks otherwise" in looked.why
    assert len(learned.episodes) == 8
    assert not list((tmp_path / "run" / "adapters").rglob(FILE))


def test_worse_tries_on_gate_states_refuse_a_correction(lighter, tmp_path):
    settings = told(lighter, align=8, episodes=8, gate={"trials": 2, "roll_back_above": 0.0})
    with Run(settings, tmp_path / "run") as run:
        run.act()
    # Any chance of being worse is over 0: whatever was tried, it is refused.
    assert not run.reports[0].kept
    assert "gate trials" in run.reports[0].why
    assert Ledger(tmp_path / "run").current == "base"


def test_a_checkpoint_without_training_views_is_refused_with_the_command_that_makes_them(
    point_checkpoint, tmp_path
):
    with pytest.raises(DataError, match=r"vlarl-agent prime RUN\.\.\. .* --only views"):
        Run(told(point_checkpoint, align=8), tmp_path / "run").__enter__()


def test_more_episodes_to_align_by_than_the_run_has_are_refused(lighter, tmp_path):
    with pytest.raises(UsageError, match=r"align\.episodes 9"):
        Run(told(lighter, align=9, episodes=8), tmp_path / "run").__enter__()


def test_a_damaged_correction_is_refused_and_who_acted_goes_on_acting(aligned, lighter, tmp_path):
    damaged = tmp_path / "adapter"
    shutil.copytree(aligned.folder / "adapters" / "0002", damaged)
    whole = (damaged / FILE).read_bytes()
    (damaged / FILE).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    policy = VLAPolicy(lighter)
    policy.load(aligned.folder / "adapters" / "0001", "0001")
    before = policy.sight
    with pytest.raises(DataError, match="is damaged"):
        policy.load(damaged, "0002")
    assert (policy.adapter, policy.sight) == ("0001", before)


def test_an_exported_adapter_takes_its_correction_along(aligned, lighter, tmp_path):
    job = AdapterJob(aligned.folder, open_run(aligned.folder), tmp_path / "out", lighter)
    export_adapter(job)
    acting = Ledger(aligned.folder)
    acting.read()
    folder = aligned.folder / "adapters" / acting.current
    assert (tmp_path / "out" / FILE).read_bytes() == (folder / FILE).read_bytes()
    assert FILE in (tmp_path / "out" / "README.md").read_text()
