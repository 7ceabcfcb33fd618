"""An update that goes wrong is given up with its reason; the acting adapter stays what it was.

Faults 26 to 29, 37 and 38. A hook of torch's own plays the broken or exhausted accelerator.
"""

import contextlib
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.episode import Verdict
from agent.errors import DataError
from agent.learn.ledger import BASE, Ledger
from agent.learn.ppo import CANDIDATE, PPOLearner
from agent.policy.policy import VLAPolicy
from tests.learn.played import base_bits, judged, learning, most_apart, play
from tests.whole_run import Run, told

torch.set_num_threads(1)


@contextlib.contextmanager
def hooked(policy, hook):
    """Inside, `hook(rows)` is asked at each pass of some rows through the language model."""
    embed = policy.model.language_model.model.embed_tokens
    handle = embed.register_forward_hook(lambda _, inputs, out: hook(len(inputs[0]), out))
    try:
        yield
    finally:
        handle.remove()


def no_memory_for(rows):
    def ask(count, out):
        if count > rows:
            torch.empty(1 << 60)  # torch's own refusal, in its own words
        return out

    return ask


class Overflow:
    """From the second gradient step on, everything that learns is NaN."""

    def __init__(self):
        self.passes = 0

    def __call__(self, count, out):
        self.passes += torch.is_grad_enabled()
        return out * float("nan") if torch.is_grad_enabled() and self.passes > 2 else out


def test_a_loss_that_is_not_finite_makes_no_adapter_and_says_so(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, {"minibatch": 8}, episodes=8)
    with Run(settings, tmp_path / "run") as run:
        before = base_bits(run.parts.policy)
        with hooked(run.parts.policy, Overflow()):
            run.act()
        (report,) = run.reports
        assert not report.kept
        assert report.why.startswith("not finite: ")
        assert "update/gradient_norm" in report.why
        assert run.parts.policy.adapter == BASE
        assert base_bits(run.parts.policy) == before
        for name, weight in run.parts.policy.adapters.state(CANDIDATE).items():
            assert torch.isfinite(weight).all(), name
    assert not list((tmp_path / "run" / "adapters").iterdir())
    assert len(report.episodes) == 8


def test_equal_outcomes_use_up_their_episodes_once_and_say_so(point_checkpoint, tmp_path):
    # Nothing ever succeeds with the arm held: after four times the usual wait it is given up.
    settings = told(point_checkpoint, {"every_episodes": 4}, episodes=33)
    settings = settings.model_copy(
        update={"robot": settings.robot.model_copy(update={"shift": {"gain": 0.0}})}
    )
    with Run(settings, tmp_path / "run") as run:
        run.act()
        first, second = run.reports
    assert not any(run.won)
    assert "no difference in outcome among 16 episodes" in first.why
    assert (first.adapter, first.kept, len(first.episodes)) == (BASE, False, 16)
    assert not set(first.episodes) & set(second.episodes)
    assert len(second.episodes) == 16
    # Opened again, what was used stays used: the 33rd alone is waiting.
    ledger = Ledger(tmp_path / "run")
    ledger.open()
    assert len(ledger.used) == 32


def test_a_batch_of_one_decision_is_refused(point_checkpoint, tmp_path):
    policy = VLAPolicy(point_checkpoint)
    episode = next(s for s in play(policy, 16) if len(s.episode.steps) == 1)
    learner = PPOLearner(policy, learning(), seed=0)
    learner.observe(episode)
    with pytest.raises(DataError, match="no difference in outcome among 1 episodes"):
        learner.update([episode], 1, tmp_path / "candidate")
    assert not list(tmp_path.iterdir())


def test_rewards_that_are_no_numbers_are_refused(point_checkpoint, tmp_path):
    policy = VLAPolicy(point_checkpoint)
    learner = PPOLearner(policy, learning(progress_weight=0.5), seed=0)
    episodes = [
        judged(s, Verdict.FAILURE, s.signal.progress * float("nan")) for s in play(policy, 8)
    ]
    for scored in episodes:
        learner.observe(scored)
    with pytest.raises(DataError, match="finite advantages wanted"):
        learner.update(episodes, 1, tmp_path / "candidate")


def test_where_memory_runs_out_the_same_is_learned_from_fewer_at_once(point_checkpoint, tmp_path):
    made = []
    for limit in (64, 5):
        policy = VLAPolicy(point_checkpoint)
        episodes = play(policy, 16)
        learner = PPOLearner(policy, learning(learning_rate=5e-4), seed=0)
        for scored in episodes:
            learner.observe(scored)
        with hooked(policy, no_memory_for(limit)):
            learner.update(episodes, 1, tmp_path / str(limit))
        made.append(policy.adapters.state(CANDIDATE))
    assert most_apart(*made) < 1e-6


def test_with_no_memory_for_a_single_decision_the_update_is_given_up(point_checkpoint, tmp_path):
    settings = told(point_checkpoint, {"micro_batch": 8}, episodes=8)
    with Run(settings, tmp_path / "run") as run:
        learner = run.parts.learner

        def starved(count, out):
            return no_memory_for(0)(count, out) if torch.is_grad_enabled() else out

        with hooked(run.parts.policy, starved):
            run.act()
        assert learner is not None
        (report,) = run.reports
    assert not report.kept
    assert "memory for one decision a forward pass wanted" in report.why
    assert "DefaultCPUAllocator" in report.why
    assert len(report.episodes) == 8


def test_another_error_of_torch_keeps_its_traceback(point_checkpoint, tmp_path):
    def broken(count, out):
        raise RuntimeError("device-side assert triggered")

    policy = VLAPolicy(point_checkpoint)
    episodes = play(policy, 8)
    learner = PPOLearner(policy, learning(), seed=0)
    for scored in episodes:
        learner.observe(scored)
    with hooked(policy, broken), pytest.raises(RuntimeError, match="device-side assert"):
        learner.update(episodes, 1, tmp_path / "candidate")


@pytest.fixture(scope="module")
def adapted(point_checkpoint, tmp_path_factory):
    """A run with one adapter that acts."""
    folder = tmp_path_factory.mktemp("adapted") / "run"
    with Run(told(point_checkpoint, episodes=8), folder) as run:
        run.act()
        assert run.parts.ledger.current == "0001"
    return run


def cut_short(folder):
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-40])


def claim_a_terabyte(folder):
    file = folder / "adapter_model.safetensors"
    file.write_bytes((1 << 40).to_bytes(8, "little") + file.read_bytes()[8:])


def make_a_pickle_of_it(folder):
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def put_nan(folder):
    change(folder, lambda state: next(iter(state.values())).fill_(float("nan")))


def drop_a_key(folder):
    change(folder, lambda state: state.pop(next(iter(state))))


def change(folder, edit):
    state = load_file(folder / "adapter_model.safetensors")
    edit(state)
    save_file(state, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def take_away(folder):
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_short, "adapter_model.safetensors cannot be read"),
        (claim_a_terabyte, "adapter_model.safetensors cannot be read"),
        (make_a_pickle_of_it, "adapter_model.bin is a pickle and is never opened"),
        (put_nan, "NaN or infinity in"),
        (drop_a_key, "missing base_model"),
        (take_away, "adapter '0001' wanted at .*, nothing found there"),
    ],
)
def test_a_damaged_adapter_never_acts_and_is_named(adapted, tmp_path, damage, said):
    folder = tmp_path / "run"
    shutil.copytree(adapted.folder, folder)
    damage(folder / "adapters" / "0001")
    with pytest.raises(DataError, match=said), Run(adapted.settings, folder):
        pass


def test_a_torn_optimizer_ends_the_update_and_not_the_run(adapted, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(adapted.folder, folder)
    (folder / "adapters" / "0001" / "optimizer.safetensors").write_bytes(b"torn")
    settings = adapted.settings.model_copy(
        update={"run": adapted.settings.run.model_copy(update={"episodes": 16})}
    )
    with Run(settings, folder) as run:
        run.act()
        assert run.parts.policy.adapter == "0001"
    assert [report.kept for report in run.reports] == [False]
    assert "optimizer state" in run.reports[0].why
