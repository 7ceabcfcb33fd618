"""How settings change the use of a checkpoint, and the base in fewer bits."""

import dataclasses

import pytest
import torch

from agent.errors import DataError, UsageError
from agent.policy.action_tokens import stats_to_json
from agent.policy.adapters import AdapterSpec
from agent.policy.checkpoint import save_checkpoint
from agent.policy.config import tiny_text_config
from agent.policy.policy import VLAPolicy
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer
from agent.policy.usage import Usage, device_of, dtype_of, told
from tests.policy.conftest import ONE_PASS, lively

WIDE = dataclasses.replace(ONE_PASS, text_config=tiny_text_config(hidden=64, layers=2, heads=2))
STATS = stats_to_json([-1.0] * 6 + [0.0], [1.0] * 7)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Four bits come in blocks of 64 weights."""
    path = tmp_path_factory.mktemp("wide")
    save_checkpoint(lively(WIDE), PromptTokenizer(tiny_tokenizer(), WIDE), path)
    return path


@pytest.fixture
def published(config):
    """The small config as if it had been published: towers with timm's names, no images named."""
    names = ("vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224")
    stats = {"libero_goal_no_noops": STATS, "bridge_orig": STATS, "fractal": STATS}
    return dataclasses.replace(config, timm_model_ids=names, norm_stats=stats)


@pytest.mark.parametrize(
    ("key", "images"),
    [("libero_goal_no_noops", "libero"), ("bridge_orig", "bridge"), ("fractal", "plain")],
)
def test_the_name_of_the_data_set_tells_how_its_pictures_were_made(published, key, images):
    assert told(published, Usage(norm_key=key)).images == images


def test_a_setting_overrules_what_the_name_tells(published):
    assert told(published, Usage(norm_key="bridge_orig", images="plain")).images == "plain"


@pytest.mark.parametrize("key", ["", "libero_spatial"])
def test_statistics_that_are_not_there_are_listed(published, key):
    with pytest.raises(DataError, match="bridge_orig, fractal, libero_goal_no_noops"):
        told(published, Usage(norm_key=key))


def test_cameras_are_renamed_one_by_one(config):
    assert told(config, Usage(cameras=("front", "hand"))).cameras == ("front", "hand")
    with pytest.raises(DataError, match="wants 2, for"):
        told(config, Usage(cameras=("front",)))


def test_a_device_that_is_absent_is_refused():
    if torch.cuda.is_available():
        with pytest.raises(UsageError, match="devices"):
            device_of(Usage("cuda:99"))
    else:
        with pytest.raises(UsageError, match="finds no CUDA device"):
            device_of(Usage("cuda"))
        assert device_of(Usage("auto")) == torch.device("cpu")
    assert dtype_of(Usage(), torch.device("cpu")) is torch.float32
    assert dtype_of(Usage(), torch.device("cuda")) is None
    assert dtype_of(Usage(dtype="bfloat16"), torch.device("cpu")) is torch.bfloat16


@pytest.mark.parametrize(("base", "least"), [("int8", 0.85), ("nf4", 0.4)])
def test_a_base_in_fewer_bits_answers_alike_and_carries_an_adapter(wide, views, base, least):
    pytest.importorskip("bitsandbytes", reason="pip install vlarl-agent[quantize]")
    whole, small = VLAPolicy(wide), VLAPolicy(wide, usage=Usage(base=base))
    layer = small.model.language_model.model.layers[0].self_attn.q_proj
    assert layer.weight.dtype in {torch.int8, torch.uint8}
    ours, theirs = (
        p.model.action_logits(*_seen(p, views), torch.zeros(len(views), 7 * p.config.chunk).long())
        for p in (small, whole)
    )
    flat = torch.stack([ours.flatten(), theirs.flatten()])
    assert torch.corrcoef(flat)[0, 1] > least
    assert not torch.equal(ours, theirs)
    small.adapters.attach("policy", AdapterSpec(rank=2), seed=0)
    small.adapters.freeze("policy")
    with small.adapters.use("policy"):
        tokens = torch.zeros(len(views), 7 * small.config.chunk).long()
        small.model.action_logits(*_seen(small, views), tokens).logsumexp(-1).sum().backward()
    gradients = [p.grad for name, p in small.adapters.parameters("policy").items() if "_B" in name]
    assert all(grad is not None and grad.dtype == torch.float32 for grad in gradients)
    assert any(bool(grad.abs().sum() > 0) for grad in gradients)


def test_layers_too_narrow_for_four_bits_are_refused(folder):
    pytest.importorskip("bitsandbytes", reason="pip install vlarl-agent[quantize]")
    with pytest.raises(UsageError, match="multiple of 64 inputs, found 32"):
        VLAPolicy(folder, usage=Usage(base="nf4"))


def test_an_adapter_of_a_base_in_fewer_bits_is_of_another_base(wide, tmp_path):
    pytest.importorskip("bitsandbytes", reason="pip install vlarl-agent[quantize]")
    small, whole = VLAPolicy(wide, usage=Usage(base="nf4")), VLAPolicy(wide)
    small.adapters.attach("policy", AdapterSpec(rank=2), seed=0)
    small.adapters.save("policy", tmp_path / "made")
    with pytest.raises(DataError, match="made for base"):
        whole.load(tmp_path / "made", "made")
    small.load(tmp_path / "made", "made")


def test_recomputed_activations_give_the_same_gradients(folder, views):
    policy = VLAPolicy(folder)
    policy.adapters.attach("policy", AdapterSpec(rank=2), seed=0)
    tokens = torch.zeros(len(views), 7 * policy.config.chunk).long()
    found = []
    for recompute in (False, True):
        policy.model.language_model.model.gradient_checkpointing = recompute
        policy.adapters.freeze("policy")
        with policy.adapters.use("policy"):
            policy.model.action_logits(*_seen(policy, views), tokens).square().mean().backward()
        parameters = policy.adapters.parameters("policy")
        found.append([p.grad.clone() for p in parameters.values()])
        for parameter in parameters.values():
            parameter.grad = None
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def _seen(policy, views):
    inputs = policy.batch(views)
    return policy.patches(inputs), inputs.proprio, inputs.prompt_ids, inputs.prompt_mask
