"""LoRA adapters over one frozen base."""

import json
import math
import shutil

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from agent.errors import DataError
from agent.policy.adapters import Adapters, AdapterSpec
from agent.policy.checkpoint import base_hash, load_checkpoint
from agent.policy.images import to_pixels

SPEC = AdapterSpec(rank=4, alpha=8.0)


@pytest.fixture
def adapters(policy):
    return policy.adapters


@pytest.fixture
def ask(policy, views):
    """Logits of the model as it is now."""
    inputs = policy.batch(views)
    tokens = torch.zeros(3, policy.config.tokens, dtype=torch.long)

    def answer(model=policy.model):
        with torch.no_grad():
            mean, std = policy.config.pixel_mean, policy.config.pixel_std
            patches = model.patches(to_pixels(inputs.pixels, mean, std))
            words = inputs.prompt_ids, inputs.prompt_mask
            return model.action_logits(patches, inputs.proprio, *words, tokens)

    return answer


def stir(adapters, name, seed=1):
    """Give an adapter weights that change the answer."""
    generator = torch.Generator().manual_seed(seed)
    state = {k: torch.randn(v.shape, generator=generator) for k, v in adapters.state(name).items()}
    adapters.set_state(name, state)


def base_of(model):
    return {
        name.replace(".base_layer", ""): tensor.clone()
        for name, tensor in model.state_dict().items()
        if "lora_" not in name
    }


@pytest.mark.parametrize(
    # 2 layers of 7 linears; 3 in the projector; 2 towers of 3 run blocks of 4 linears.
    ("targets", "layers"),
    [("language", 14), ("language+projector", 17), ("all-linear", 41)],
)
def test_a_fresh_adapter_covers_its_layers_and_changes_nothing(adapters, ask, targets, layers):
    before = ask()
    adapters.attach("policy", AdapterSpec(4, 8.0, targets), seed=0)
    with adapters.use("policy"):
        assert torch.equal(ask(), before)
    assert len(adapters.parameters("policy")) == 2 * layers
    assert {p.dtype for p in adapters.parameters("policy").values()} == {torch.float32}


def test_an_adapter_follows_its_seed(adapters):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        adapters.attach(name, SPEC, seed)
    a, b, c = (adapters.state(name) for name in "abc")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert any(not torch.equal(a[key], c[key]) for key in a)


def test_switching_off_gives_the_base_bit_for_bit(adapters, ask):
    bare = ask()
    adapters.attach("policy", SPEC, seed=0)
    stir(adapters, "policy")
    adapters.activate("policy")
    assert (ask() - bare).abs().max() > 1e-2
    with adapters.use(None):
        assert torch.equal(ask(), bare)
    assert adapters.active == "policy"
    adapters.detach("policy")
    assert torch.equal(ask(), bare)


def test_the_base_is_bit_identical_after_many_swaps(adapters, ask, tmp_path):
    before = base_of(adapters.model)
    adapters.attach("policy", SPEC, seed=0)
    adapters.copy("policy", "reference")
    for index in range(20):
        stir(adapters, "policy", seed=index)
        adapters.save("policy", tmp_path / str(index))
        for name in ("policy", "reference", None):
            adapters.activate(name)
        ask()
        adapters.load(tmp_path / str(index), "policy")
    after = base_of(adapters.model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_copy_is_frozen_and_stays_when_the_original_learns(adapters, ask):
    adapters.attach("policy", SPEC, seed=0)
    stir(adapters, "policy")
    adapters.copy("policy", "reference")
    with adapters.use("policy"):
        before = ask()
    stir(adapters, "policy", seed=2)
    with adapters.use("reference"):
        assert torch.equal(ask(), before)
    assert not any(p.requires_grad for p in adapters.parameters("reference").values())


def test_only_what_is_not_frozen_learns_whatever_is_active(adapters):
    adapters.attach("policy", SPEC, seed=0)
    adapters.copy("policy", "reference")
    adapters.freeze("policy")
    with adapters.use("policy"), adapters.use("reference"), adapters.use(None):
        pass
    learning = {name for name, p in adapters.model.named_parameters() if p.requires_grad}
    assert len(learning) == 28
    assert all(".policy." in name for name in learning)


def test_an_adapter_comes_back_in_a_fresh_model(adapters, ask, folder, tmp_path):
    adapters.attach("policy", SPEC, seed=0)
    stir(adapters, "policy")
    adapters.save("policy", tmp_path / "one")
    with adapters.use("policy"):
        wanted = ask()
    fresh = Adapters(load_checkpoint(folder), base_hash(folder))
    fresh.load(tmp_path / "one", "policy")
    fresh.activate("policy")
    assert fresh.spec("policy") == SPEC
    assert torch.equal(ask(fresh.model), wanted)


def test_plain_peft_reads_a_saved_adapter(adapters, ask, folder, tmp_path):
    adapters.attach("policy", SPEC, seed=0)
    stir(adapters, "policy")
    adapters.save("policy", tmp_path / "one")
    with adapters.use("policy"):
        wanted = ask()
    theirs = PeftModel.from_pretrained(load_checkpoint(folder), str(tmp_path / "one"))
    assert torch.equal(ask(theirs.get_base_model()), wanted)


@pytest.fixture
def saved(adapters, tmp_path):
    adapters.attach("policy", SPEC, seed=0)
    adapters.save("policy", tmp_path / "saved")
    return tmp_path / "saved"


def change(folder, edit):
    path = folder / "adapter_model.safetensors"
    weights = load_file(path)
    edit(weights)
    save_file(weights, path)


FIRST = "base_model.model.language_model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda w: w.pop(FIRST), "missing .*q_proj.lora_A"),
        (lambda w: w.update(more=torch.zeros(1)), "unexpected more"),
        (lambda w: w.update({FIRST: torch.zeros(3, 32)}), r"\(3, 32\) for \(4, 32\)"),
        (lambda w: w[FIRST].fill_(math.nan), "NaN"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_nothing_changes(adapters, saved, edit, message):
    before = adapters.state("policy")
    change(saved, edit)
    for name in ("policy", "other"):
        with pytest.raises(DataError, match=message):
            adapters.load(saved, name)
    after = adapters.state("policy")
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert adapters.names == ("policy",)


def test_an_adapter_of_another_base_is_refused(adapters, saved):
    manifest = json.loads((saved / "MANIFEST.json").read_text())
    (saved / "MANIFEST.json").write_text(json.dumps(manifest | {"base": "0" * 64}))
    with pytest.raises(DataError, match="made for base 000000000000"):
        adapters.load(saved, "policy")


def test_an_adapter_of_another_rank_is_refused(adapters, saved):
    adapters.attach("small", AdapterSpec(2, 8.0), seed=0)
    with pytest.raises(DataError, match=r"rank=2.*rank=4"):
        adapters.load(saved, "small")


@pytest.mark.parametrize("name", ["MANIFEST.json", "adapter_config.json"])
@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_folder_that_is_no_adapter_is_refused(adapters, saved, name, content):
    (saved / name).unlink()
    if content is not None:
        (saved / name).write_text(content)
    with pytest.raises(DataError, match="no adapter"):
        adapters.load(saved, "policy")


@pytest.mark.parametrize("keep", [0, 100])
def test_a_truncated_adapter_is_refused(adapters, saved, keep):
    path = saved / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="cannot be read"):
        adapters.load(saved, "policy")


def test_saving_never_overwrites_and_leaves_nothing_half_done(adapters, saved):
    with pytest.raises(DataError, match="never overwritten"):
        adapters.save("policy", saved)
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]
    shutil.rmtree(saved)
    adapters.save("policy", saved)
    assert sorted(path.name for path in saved.iterdir()) == [
        "MANIFEST.json",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_an_unknown_or_repeated_name_is_refused(adapters):
    adapters.attach("policy", SPEC, seed=0)
    with pytest.raises(DataError, match="'other'"):
        adapters.activate("other")
    with pytest.raises(DataError, match="new, plain name"):
        adapters.attach("policy", SPEC, seed=0)
