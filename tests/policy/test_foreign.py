"""LoRA folders of other trainers, written by plain peft."""

import json

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

from agent.errors import DataError
from agent.policy.checkpoint import load_checkpoint
from agent.policy.policy import VLAPolicy


class Published(nn.Module):
    """The model as peft sees it elsewhere: the same names, in a module of another class."""

    def __init__(self, vla):
        super().__init__()
        self.vision_backbone, self.projector = vla.vision_backbone, vla.projector
        self.language_model = vla.language_model


@pytest.fixture
def elsewhere(folder, tmp_path):
    """Write an adapter with peft alone; every linear layer of OpenVLA's own but the output rows."""

    def write(targets, rank=3):
        torch.manual_seed(5)
        plain = Published(load_checkpoint(folder))
        names = [
            name
            for name, module in plain.named_modules()
            if isinstance(module, nn.Linear) and not name.endswith("lm_head") and targets(name)
        ]
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names)
        tuned = get_peft_model(plain, config)
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(parameter)
        tuned.save_pretrained(str(tmp_path / "made"))
        return tmp_path / "made", tuned

    return write


@pytest.mark.parametrize(
    ("targets", "known"),
    [(lambda name: True, "all-linear"), (lambda name: "language" in name, "language")],
)
def test_what_peft_adds_elsewhere_is_what_it_adds_here(folder, views, elsewhere, targets, known):
    made, tuned = elsewhere(targets)
    policy = VLAPolicy(folder)
    inputs = policy.batch(views)
    tokens = torch.zeros(len(views), policy.config.tokens, dtype=torch.long)

    def answer(model):
        with torch.no_grad():
            words = inputs.prompt_ids, inputs.prompt_mask
            return model.action_logits(policy.patches(inputs), inputs.proprio, *words, tokens)

    bare = answer(policy.model)
    policy.load(made, "theirs")
    assert policy.adapters.spec("policy").targets == known
    ours = answer(policy.model)
    assert (ours - bare).abs().max() > 0.1
    # One layer by hand: W x + (alpha / r) B A x, with peft's own numbers.
    layer = tuned.base_model.model.language_model.model.layers[1].mlp.up_proj
    mine = policy.model.language_model.model.layers[1].mlp.up_proj
    x = torch.randn(2, layer.in_features)
    torch.testing.assert_close(mine(x), layer(x), atol=1e-6, rtol=0)


def test_layers_that_are_never_run_may_be_adapted_and_count_for_nothing(folder, elsewhere):
    made, _ = elsewhere(lambda name: True)
    last = [key for key in load_file(made / "adapter_model.safetensors") if ".blocks.3." in key]
    assert last  # the fourth block of a tower: its output is not read
    policy = VLAPolicy(folder)
    policy.load(made, "theirs")
    assert not any(".blocks.3." in key for key in policy.adapters.parameters("policy"))


def test_another_set_of_layers_is_refused_with_what_is_missing(folder, elsewhere):
    made, _ = elsewhere(lambda name: name.endswith(("q_proj", "v_proj")))
    with pytest.raises(DataError, match=r"nearest is language: missing .*down_proj"):
        VLAPolicy(folder).load(made, "theirs")


@pytest.mark.parametrize(
    "change",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"bias": "all"},
        {"r": 0},
        {"lora_alpha": float("nan")},
        {"lora_alpha": 0},
    ],
)
def test_what_is_no_plain_lora_is_refused(folder, elsewhere, change):
    made, _ = elsewhere(lambda name: "language" in name)
    path = made / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match="plain LoRA"):
        VLAPolicy(folder).load(made, "theirs")


def test_nan_and_pickles_are_refused_and_the_base_stays(folder, elsewhere):
    made, _ = elsewhere(lambda name: "language" in name)
    policy = VLAPolicy(folder)
    state = load_file(made / "adapter_model.safetensors")
    next(iter(state.values()))[0, 0] = float("nan")
    save_file(state, made / "adapter_model.safetensors")
    with pytest.raises(DataError, match="NaN"):
        policy.load(made, "theirs")
    (made / "adapter_model.safetensors").rename(made / "adapter_model.bin")
    with pytest.raises(DataError, match="pickle"):
        policy.load(made, "theirs")
    assert policy.adapter == "base"
