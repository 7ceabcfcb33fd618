"""Adapters on the top blocks alone: what lies below is run once, and kept."""

import dataclasses
import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from agent.errors import DataError, UsageError
from agent.policy.adapters import Adapters, AdapterSpec
from agent.policy.checkpoint import base_hash, load_checkpoint, save_checkpoint
from agent.policy.config import tiny_text_config
from agent.policy.policy import VLAPolicy
from agent.policy.states import joined
from agent.policy.tokenizer import PromptTokenizer, tiny_tokenizer
from agent.policy.usage import Usage
from tests.policy.conftest import IN_TURN, ONE_PASS, lively
from tests.policy.test_adapters import stir

TOP = AdapterSpec(rank=4, alpha=8.0, top=1)
PADS = 5


def seen_of(policy, views):
    inputs = policy.batch(views)
    with torch.no_grad():
        return policy.patches(inputs), inputs.proprio, inputs.prompt_ids, inputs.prompt_mask


def padded(seen, side):
    """The same prompts with pads in front or behind."""
    patches, proprio, ids, mask = seen
    both = [(ids.new_full((3, PADS), 7), ids), (torch.zeros(3, PADS, dtype=torch.bool), mask)]
    rows = [torch.cat(pair if side == "front" else pair[::-1], 1) for pair in both]
    return patches, proprio, *rows


@pytest.fixture
def tokens(policy):
    generator = torch.Generator().manual_seed(4)
    return torch.randint(0, 256, (3, policy.config.tokens), generator=generator)


@pytest.fixture
def adapted(policy):
    policy.adapters.attach("policy", TOP, seed=0)
    stir(policy.adapters, "policy")
    policy.adapters.activate("policy")
    return policy


@pytest.mark.parametrize("side", ["front", "behind"])
def test_from_the_cut_on_the_answer_is_the_whole_pass_bit_for_bit(adapted, views, tokens, side):
    model = adapted.model
    with torch.no_grad():
        seen = padded(seen_of(adapted, views), side)
        whole = model.answer(*seen, tokens)
        with adapted.adapters.use(None):  # as it is kept: by the bare base, in another pass
            kept = model.below(model.sequence(*seen, tokens), 1)
        ours = model.above(kept, 1)
    assert torch.equal(ours.logits, whole.logits)
    assert torch.equal(ours.feature, whole.feature)


def test_the_cut_lies_under_every_adapted_block_and_no_lower(adapted, views, tokens):
    model = adapted.model
    with torch.no_grad():
        sequence = model.sequence(*seen_of(adapted, views), tokens)
        with adapted.adapters.use(None):
            bare = model.below(sequence, 1), model.above(sequence, 0).logits
        assert torch.equal(model.below(sequence, 1).hidden, bare[0].hidden)
        assert (model.above(sequence, 0).logits - bare[1]).abs().max() > 1e-2
    assert {name.split("layers.")[1][0] for name in adapted.adapters.parameters("policy")} == {"1"}


def test_episodes_of_other_lengths_are_put_together_without_a_change(adapted, views, tokens):
    model = adapted.model
    with torch.no_grad():
        alone = []
        for index, view in enumerate(views):  # prompts of three lengths, each without a pad
            sequence = model.sequence(*seen_of(adapted, [view]), tokens[index : index + 1])
            alone.append(model.below(sequence, 1))
        lengths = {each.hidden.shape[1] for each in alone}
        assert len(lengths) == 3
        together = model.above(joined(alone), 1).logits
        apart = torch.cat([model.above(each, 1).logits for each in alone])
    # float32, logits of some tens: sums over the pads are sums with zeros, in another order
    torch.testing.assert_close(together, apart, atol=2e-5, rtol=1e-6)


@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_from_the_cut_are_those_of_the_whole_pass(adapted, views, tokens, recompute):
    model = adapted.model
    model.language_model.model.gradient_checkpointing = recompute
    adapted.adapters.freeze("policy")
    parameters = adapted.adapters.parameters("policy").values()
    seen, found = seen_of(adapted, views), []
    with torch.no_grad():
        kept = model.below(model.sequence(*seen, tokens), 1)
    for answer in (model.answer(*seen, tokens), model.above(kept, 1)):
        answer.logits.logsumexp(-1).sum().backward()
        found.append([parameter.grad.clone() for parameter in parameters])
        for parameter in parameters:
            parameter.grad = None
    assert all(bool(grad.abs().sum() > 0) for grad in found[0])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("config", [ONE_PASS, IN_TURN], ids=["one-pass", "in-turn"])
@pytest.mark.parametrize("base", ["int8", "nf4"])
def test_a_base_in_fewer_bits_is_cut_alike(config, base, views, tmp_path):
    pytest.importorskip("bitsandbytes", reason="pip install vlarl-agent[quantize]")
    text = tiny_text_config(hidden=64, layers=2, heads=2)  # four bits come in blocks of 64
    wide = dataclasses.replace(config, text_config=text)
    save_checkpoint(lively(wide), PromptTokenizer(tiny_tokenizer(), wide), tmp_path / "wide")
    policy = VLAPolicy(tmp_path / "wide", usage=Usage(base=base))
    policy.adapters.attach("policy", TOP, seed=0)
    stir(policy.adapters, "policy")
    policy.adapters.activate("policy")
    seen = seen_of(policy, views)
    tokens = torch.arange(3 * wide.tokens).view(3, -1)
    with torch.no_grad():
        kept = policy.model.below(policy.model.sequence(*seen, tokens), 1)
        ours = policy.model.above(kept, 1).logits
        assert torch.equal(ours, policy.model.action_logits(*seen, tokens))


def test_plain_peft_reads_an_adapter_of_the_top_blocks(adapted, folder, views, tokens, tmp_path):
    adapted.adapters.save("policy", tmp_path / "one")
    seen = seen_of(adapted, views)
    with torch.no_grad():
        wanted = adapted.model.action_logits(*seen, tokens)
        theirs = PeftModel.from_pretrained(load_checkpoint(folder), str(tmp_path / "one"))
        assert torch.equal(theirs.get_base_model().action_logits(*seen, tokens), wanted)
        fresh = VLAPolicy(folder)
        fresh.load(tmp_path / "one", "one")
        assert fresh.adapters.spec("policy") == TOP
        assert torch.equal(fresh.model.action_logits(*seen, tokens), wanted)


def test_what_peft_adapts_elsewhere_on_the_top_blocks_alone_is_known_by_its_keys(folder, tmp_path):
    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=2, target_modules=names, layers_to_transform=[1])
    get_peft_model(load_checkpoint(folder), config).save_pretrained(str(tmp_path / "made"))
    policy = VLAPolicy(folder)
    policy.load(tmp_path / "made", "theirs")
    assert policy.adapters.spec("policy") == AdapterSpec(2, 8.0, "language", 1)


def test_an_adapter_of_other_blocks_is_refused(adapted, folder, tmp_path):
    adapters = adapted.adapters
    adapters.save("policy", tmp_path / "top")
    adapters.attach("all", dataclasses.replace(TOP, top=0), seed=0)
    with pytest.raises(DataError, match=r"'all' is .*top=0\); .* holds .*top=1"):
        adapters.load(tmp_path / "top", "all")
    manifest = tmp_path / "top" / "MANIFEST.json"
    told = json.loads(manifest.read_text())
    fresh = Adapters(load_checkpoint(folder), base_hash(folder))
    for top, said in ((0, "adapts other layers"), (2, "layers that are not here"), ("x", "no ada")):
        manifest.write_text(json.dumps(told | {"top": top}))
        with pytest.raises(DataError, match=said):
            fresh.load(tmp_path / "top", "policy")
    manifest.unlink()
    with pytest.raises(DataError, match=r"made here and lacks MANIFEST\.json"):
        fresh.load(tmp_path / "top", "policy")


def test_there_is_no_cut_where_something_below_it_learns_or_nothing_lies_below(policy):
    with pytest.raises(UsageError, match=r"wants learn\.targets=language, found all-linear"):
        policy.adapters.attach("policy", AdapterSpec(4, 8.0, "all-linear", 1), seed=0)
    for top in (2, 7):
        with pytest.raises(UsageError, match=r"this one has 2: 1 to 1 adapt"):
            policy.adapters.attach("policy", AdapterSpec(4, 8.0, "language", top), seed=0)
