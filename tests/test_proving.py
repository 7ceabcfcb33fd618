"""A candidate acts by what was learned, or not at all."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.policy.adapters import Adapters
from agent.policy.policy import VLAPolicy
from tests.whole_run import Run, told

torch.set_num_threads(1)


def grown(folder):
    """Every B half as large again."""
    path = folder / "adapter_model.safetensors"
    state = load_file(path)
    save_file({k: v * 1.5 if "lora_B" in k else v for k, v in state.items()}, path)


def scaled(folder):
    """Twice the weight over the base."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"lora_alpha": 2 * config["lora_alpha"]}))


def test_a_candidate_that_answers_as_it_learned_acts(point_checkpoint, tmp_path):
    with Run(told(point_checkpoint, episodes=8), tmp_path / "run") as run:
        (report,) = run.act().reports
        assert report.kept
        # One float32 pass against another: measured 1e-6 to 1e-5 a token.
        assert report.metrics["gate/swap_gap"] < 1e-4
        assert run.parts.policy.adapter == "0001"


@pytest.mark.parametrize("spoil", [grown, scaled])
def test_a_candidate_that_is_not_on_disk_as_it_was_learned_is_refused(
    point_checkpoint, tmp_path, monkeypatch, spoil
):
    save = Adapters.save

    def spoiled(adapters, name, folder):
        save(adapters, name, folder)
        spoil(folder)

    monkeypatch.setattr(Adapters, "save", spoiled)
    with Run(told(point_checkpoint, episodes=8), tmp_path / "run") as run:
        (report,) = run.act().reports
        assert run.parts.policy.adapter == run.parts.ledger.current == "base"
    assert not report.kept
    assert "what was loaded is not what was learned" in report.why
    assert not list((tmp_path / "run" / "adapters").iterdir())


def test_a_policy_that_goes_on_as_before_after_a_swap_is_refused(
    point_checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr(VLAPolicy, "load", lambda policy, folder, name: None)
    with Run(told(point_checkpoint, episodes=8), tmp_path / "run") as run:
        (report,) = run.act().reports
    assert not report.kept
    assert "sampler and learner differ by" in report.why
