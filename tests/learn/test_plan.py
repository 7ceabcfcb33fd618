"""What is predicted of a policy on a device."""

import dataclasses

import pytest
import torch

from agent.errors import UsageError
from agent.learn.foresight import Foresight
from agent.learn.plan import Way, Work, choose, plan
from agent.policy import twin
from agent.policy.config import VLAConfig
from agent.policy.pace import Pace, Part
from agent.policy.policy import VLAPolicy
from agent.policy.roofline import DEVICES, Device, device_named, foretold
from agent.policy.sizes import sizes_of
from agent.policy.towers import PUBLISHED
from tests.learn.played import learning

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
WHOLE = Way("whole", 2, 8, checkpointing=True)
WORK = Work(800)
# Each part in round figures: a block of the learner takes 3 ms, of everybody else 1 ms.
LITTLE, MUCH = Part(0.002, 0.001), Part(0.004, 0.003)
ROUND = Pace(
    "round", "measured", 24e9, 0.005, 0.005, LITTLE, Part(0.002, 0.0005), LITTLE, LITTLE, MUCH,
    Part(0.0, 0.0), 0.0,
)  # fmt: skip
SETTINGS = learning(epochs=1, kl_weight=0.0, micro_batch=32)


def paced(pace=ROUND, **changes):
    return lambda base: dataclasses.replace(pace, **changes)


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
    found = plan(sizes, SETTINGS, ROUND, WHOLE, WORK)
    assert found.base == pytest.approx(2 * sizes.parameters)
    four = plan(sizes, SETTINGS, ROUND, dataclasses.replace(WHOLE, base="nf4"), WORK)
    # All but the matrices at two bytes, those at 0.516.
    assert four.base == pytest.approx(2 * (sizes.parameters - sizes.linear) + 0.516 * sizes.linear)
    assert found.kept == 800 * 256 * 4096 * 2  # patches of 2.1 MB a decision


def test_times_are_those_of_the_parts_as_often_as_they_are_run(sizes):
    kept = plan(sizes, SETTINGS, ROUND, dataclasses.replace(WHOLE, checkpointing=False), WORK)
    # A decision: seeing 5 ms, 2 ms with the first block, 31 more of 1 ms.
    assert kept.decision_s == pytest.approx(0.005 + 0.002 + 31 * 0.001)
    # Encoding: 5 + 33 ms. The reference, learning 4 + 31 * 3 = 97 ms, all log-probabilities, two
    # adapters on 256 of 800 decisions: 1 + 1 + 0.64 passes of 33 ms.
    observe_s = 800 * 0.038
    assert kept.observe_s == pytest.approx(observe_s)
    assert kept.update_s == pytest.approx(observe_s + 800 * (0.097 + 2.64 * 0.033))
    fitted = plan(sizes, SETTINGS, ROUND, kept.way, Work(800, critic_s=7.0))
    assert fitted.update_s == pytest.approx(kept.update_s + 7.0)
    again = plan(sizes, SETTINGS, ROUND, WHOLE, WORK)
    assert again.update_s == pytest.approx(kept.update_s + 800 * 0.033)
    assert again.activations < kept.activations / 10


def test_above_a_cut_only_the_top_blocks_are_learned_and_looked_at(sizes):
    whole = plan(sizes, SETTINGS, ROUND, dataclasses.replace(WHOLE, checkpointing=False), WORK)
    cut = plan(sizes, SETTINGS, ROUND, dataclasses.replace(whole.way, top=8), WORK)
    # 8 blocks: learning 4 + 7 * 3 = 25 ms, looking 2 + 7 = 9 ms; encoding is what it was.
    assert cut.update_s == pytest.approx(whole.observe_s + 800 * (0.025 + 2.64 * 0.009))
    # Hidden states of 256 + 24 + 7 tokens in place of 256 patches.
    assert cut.kept == 800 * 287 * 4096 * 2
    assert cut.adapters == pytest.approx(whole.adapters / 4)
    assert cut.activations == pytest.approx(whole.activations / 4)
    # A block below the cut has no adapter: half a millisecond.
    assert cut.decision_s == pytest.approx(0.005 + 0.002 + 7 * 0.001 + 24 * 0.0005)


def test_a_tight_device_gets_fewer_bits_and_a_small_one_is_refused(sizes):
    roomy = choose(sizes, SETTINGS, paced(memory=141e9), 2, WORK)
    assert (roomy.way.base, roomy.way.checkpointing) == ("whole", False)
    tight = choose(sizes, SETTINGS, paced(), 2, WORK)
    assert (tight.way.base, tight.way.checkpointing) == ("whole", True)
    assert tight.peak <= 0.9 * 24e9
    assert choose(sizes, SETTINGS, paced(memory=10e9), 2, WORK).way.base == "nf4"
    with pytest.raises(UsageError, match=r"a device with .* GB wanted, found 4\.0 GB"):
        choose(sizes, SETTINGS, paced(memory=4e9), 2, WORK)


def test_a_cut_is_proposed_where_nothing_else_ends_in_time(sizes):
    def top(between_s, settings=SETTINGS):
        return choose(sizes, settings, paced(memory=141e9), 2, WORK, between_s).way.top

    # Whole: 800 * (0.038 + 0.097 + 2.64 * 0.033) = 178 s. 16 blocks: 800 * (0.038 + 0.049 + 2.64 *
    # 0.017) = 106 s; 8: 69 s; 4: 51 s; 2: 42 s; 1: 38 s. Below encoding, 30 s, nothing helps.
    assert [top(limit) for limit in (179, 177, 105, 68, 50, 40, 30)] == [0, 16, 8, 4, 2, 1, 0]
    # What the settings say is not overruled.
    assert top(40, learning(epochs=1, kl_weight=0.0, micro_batch=32, top_layers=8)) == 8
    told = learning(epochs=1, kl_weight=0.0, micro_batch=32, targets="all-linear")
    assert top(40, told) == 0


def test_on_published_figures_a_token_takes_as_long_as_reading_the_layers(sizes):
    # 100 TFLOP/s, 1 TB/s: half and seven tenths of them count. Starting costs nothing.
    device = Device("round", 100e12, 1e12, 24e9, start_s=0.0)
    pace = foretold(device, sizes, "whole", 2, (16, 8))
    block = sizes.layers / 32
    token_s = 2 * block / 0.7e12
    # 280 tokens of prompt: two operations a parameter, and attention of 280 tokens on 280.
    products_s = (2 * block * 280 + 4 * 280 * 280 * 4096) / 50e12
    # Small operations in 16 bits: 24 H + 6 M numbers a token; 286 tokens in all.
    small_s = 286 * 2 * (24 * 4096 + 6 * 11008) / 0.7e12
    assert pace.bare.block_s == pytest.approx(products_s + 6 * token_s + small_s)
    # Where starting an operation takes a millisecond, nothing else counts: 27, six times more.
    slow = dataclasses.replace(device, start_s=1e-3)
    assert foretold(slow, sizes, "whole", 2, (16, 8)).bare.block_s == pytest.approx(7 * 27e-3)


def test_a_device_is_known_by_so_much_of_its_name_as_tells_it_from_others():
    assert device_named("rtx 4090") is device_named("4090") is DEVICES["RTX 4090"]
    for name in ("jetson", "RTX", "", "TPU"):
        with pytest.raises(UsageError, match="known: H200, H100"):
            device_named(name)


def test_a_twin_of_two_blocks_tells_the_pace_of_the_whole(point_checkpoint):
    policy, cpu = VLAPolicy(point_checkpoint), torch.device("cpu")
    before = torch.get_rng_state()
    pace = twin.measure(policy.config, sizes_of(policy.config), "whole", torch.float32, cpu, (4, 8))
    assert torch.equal(torch.get_rng_state(), before)
    assert pace.how == "measured"
    for part in (pace.decide, pace.look, pace.learn, pace.step):
        assert 0 < part.first_s < 1
        assert 0 <= part.block_s < 1
    assert pace.learn.of(2) > pace.look.of(2)
    assert pace.memory > 1e9
    assert 0 < pace.see_s < 1


def test_an_update_is_foreseen_without_the_episodes_taken_note_of_before(point_checkpoint):
    policy = VLAPolicy(point_checkpoint)
    told = Foresight(policy, learning()).metrics(64, 8)
    more = Foresight(policy, learning()).metrics(640, 8)
    assert 0 < told["update/foreseen_seconds"] < more["update/foreseen_seconds"]
    assert told["update/foreseen_bytes"] > 4 * sizes_of(policy.config).parameters
