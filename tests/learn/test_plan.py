"""What is predicted of a policy on a device."""

import dataclasses

import pytest
import torch

from agent.errors import UsageError
from agent.learn.plan import Way, choose, plan
from agent.policy.config import VLAConfig
from agent.policy.roofline import Roofline, measure
from agent.policy.sizes import sizes_of
from agent.policy.towers import PUBLISHED
from agent.settings import LearnSettings

LLAMA = {
    "model_type": "llama", "vocab_size": 32064, "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
}  # fmt: skip
OPENVLA = VLAConfig(
    LLAMA,
    tuple(PUBLISHED.values())[:2],
    {},
    vision_backbone_id="dinosiglip-vit-so-224px",
    timm_model_ids=tuple(PUBLISHED)[:2],
)
# A round device: 100 TFLOP/s, 1 TB/s, 24 GB, no overhead.
ROUND = Roofline("round", 1e14, 1e12, 24e9, 0.0)
WHOLE = Way("whole", 2, 8, checkpointing=True)


@pytest.fixture(scope="module")
def sizes():
    return sizes_of(OPENVLA)


def test_7b_is_counted_part_by_part(sizes):
    # Kim et al. 2024: DINOv2 304 M, SigLIP 428 M with its pooling head, projector 71 M, Llama 2.
    assert [round(n / 1e6) for n in (sizes.vision, sizes.projector)] == [731, 71]
    assert sizes.layers == pytest.approx(6.48e9, rel=1e-3)
    assert sizes.rows == 2 * 32064 * 4096
    assert sizes.parameters == pytest.approx(7.54e9, rel=2e-3)
    # Four matrices of 4096 x 4096, three of 4096 x 11008, in 32 blocks, at rank 1.
    assert sizes.lora == 32 * (4 * 8192 + 3 * 15104)
    assert sizes.context == 256 + 24


def test_the_base_costs_its_parameters_times_their_bytes(sizes):
    found = plan(sizes, LearnSettings(), ROUND, WHOLE, 800)
    assert found.base == pytest.approx(2 * sizes.parameters)
    four = plan(sizes, LearnSettings(), ROUND, dataclasses.replace(WHOLE, base="nf4"), 800)
    # All but the matrices at two bytes, those at 0.516.
    assert four.base == pytest.approx(2 * (sizes.parameters - sizes.linear) + 0.516 * sizes.linear)
    assert found.kept == 800 * 256 * 4096 * 2  # patches of 2.1 MB a decision


def test_decoding_one_token_takes_as_long_as_reading_the_layers(sizes):
    found = plan(sizes, LearnSettings(), ROUND, WHOLE, 800)
    prefill = 2 * sizes.layers * 280 / 1e14
    seeing = 2 * (sizes.vision + sizes.projector) * 256 / 1e14
    assert found.decision_s == pytest.approx(seeing + prefill + 6 * 2 * sizes.layers / 1e12)


def test_recomputing_trades_memory_for_time(sizes):
    kept = plan(sizes, LearnSettings(), ROUND, dataclasses.replace(WHOLE, checkpointing=False), 800)
    again = plan(sizes, LearnSettings(), ROUND, WHOLE, 800)
    assert again.activations < kept.activations / 10
    assert kept.update_s < again.update_s < 1.5 * kept.update_s


def test_a_tight_device_gets_fewer_bits_and_a_small_one_is_refused(sizes):
    settings = LearnSettings()
    roomy = choose(sizes, settings, dataclasses.replace(ROUND, memory=141e9), 2, 800)
    assert (roomy.way.base, roomy.way.checkpointing) == ("whole", False)
    tight = choose(sizes, settings, ROUND, 2, 800)
    assert (tight.way.base, tight.way.checkpointing) == ("whole", True)
    assert tight.peak <= 0.9 * 24e9
    small = choose(sizes, settings, dataclasses.replace(ROUND, memory=10e9), 2, 800)
    assert small.way.base == "nf4"
    with pytest.raises(UsageError, match=r"a device with .* GB wanted, found 4\.0 GB"):
        choose(sizes, settings, dataclasses.replace(ROUND, memory=4e9), 2, 800)


def test_this_device_is_measured():
    line = measure(torch.device("cpu"), torch.float32)
    assert 1e8 < line.flops < 1e14
    assert 1e8 < line.bytes_s < 1e13
    assert line.memory > 1e9
    assert 0 < line.overhead_s < 1e-2
