"""A model as a folder."""

import dataclasses
import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from agent.errors import DataError
from agent.policy.checkpoint import base_hash, build_tiny, load_checkpoint, load_config
from agent.policy.config import VLAConfig, config_from_json, config_to_json
from agent.policy.vla import VLA

PUBLISHED = {
    "model_type": "openvla",
    "arch_specifier": "no-align+fused-gelu-mlp",
    "vision_backbone_id": "dinosiglip-vit-so-224px",
    "timm_model_ids": ["vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224"],
    "image_sizes": [224, 224],
    "image_resize_strategy": "resize-naive",
    "llm_backbone_id": "llama2-7b-pure",
    "n_action_bins": 256,
    "pad_to_multiple_of": 64,
    "text_config": {"model_type": "llama", "pad_token_id": 32000, "vocab_size": 32064},
    "norm_stats": {},
}


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def edit(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


def test_a_model_comes_back_bit_for_bit_and_frozen(policy, folder):
    stored = load_file(folder / "model.safetensors")
    model = load_checkpoint(folder)
    assert model.state_dict().keys() == stored.keys()
    assert all(torch.equal(stored[name], tensor) for name, tensor in model.state_dict().items())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.config == policy.config


def test_a_config_survives_json(config):
    assert config_from_json(json.loads(json.dumps(config_to_json(config)))) == config


def test_7b_is_the_same_class_with_the_published_names_and_size():
    config = config_from_json(PUBLISHED)
    with torch.device("meta"):
        model = VLA(config)
    state = model.state_dict()
    shapes = {
        "vision_backbone.featurizer.blocks.23.ls2.scale_factor": (1024,),
        "vision_backbone.featurizer.reg_token": (1, 4, 1024),
        "vision_backbone.featurizer.pos_embed": (1, 256, 1024),
        "vision_backbone.fused_featurizer.attn_pool.kv.weight": (2304, 1152),
        "vision_backbone.fused_featurizer.blocks.26.mlp.fc1.weight": (4304, 1152),
        "projector.fc1.weight": (8704, 2176),
        "projector.fc3.bias": (4096,),
        "language_model.model.layers.31.mlp.down_proj.weight": (4096, 11008),
        "language_model.lm_head.weight": (32064, 4096),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    # 7.53 billion with the pooling head's 15 million.
    assert sum(tensor.numel() for tensor in state.values()) / 1e9 == pytest.approx(7.54, abs=0.01)
    assert (config.tokens, config.base_vocabulary, config.bos_token_id) == (7, 32000, 1)


def test_sharded_weights_load_like_whole_ones(copy, folder):
    weights = load_file(copy / "model.safetensors")
    names = sorted(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, copy / file)
    index = {name: file for file, part in parts.items() for name in part}
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (copy / "model.safetensors").unlink()
    ours, theirs = load_checkpoint(copy).state_dict(), load_checkpoint(folder).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    both = (copy / "a.safetensors").read_bytes() + (copy / "b.safetensors").read_bytes()
    assert base_hash(copy) == hashlib.sha256(both).hexdigest()


def test_data_set_statistics_overrule_those_of_the_config(copy):
    stats = {"fine": {"action": {"q01": [0.0] * 7, "q99": [1.0] * 7}}}
    (copy / "dataset_statistics.json").write_text(json.dumps(stats))
    assert load_config(copy).norm_stats == stats


def test_the_preprocessor_says_how_pixels_are_normalised(copy):
    normal = [{"mean": [0.1, 0.2, 0.3], "std": [1, 2, 3]}, {"mean": [0.4] * 3, "std": [4] * 3}]
    edit(copy / "preprocessor_config.json", tvf_normalize_params=normal)
    config = load_config(copy)
    assert config.pixel_mean == (0.1, 0.2, 0.3, 0.4, 0.4, 0.4)
    assert config.pixel_std == (1, 2, 3, 4, 4, 4)


def test_missing_unexpected_and_misshapen_weights_are_listed(copy):
    weights = load_file(copy / "model.safetensors")
    weights["extra"] = weights.pop("projector.fc1.bias")
    weights["projector.fc2.bias"] = torch.zeros(3)
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(DataError) as error:
        load_checkpoint(copy)
    for part in ("missing: projector.fc1.bias", "unexpected: extra", "fc2.bias (3,) for (32,)"):
        assert part in str(error.value)


def test_a_truncated_file_is_refused(copy):
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="damaged"):
        load_checkpoint(copy)


def test_shards_without_their_index_are_told_what_lists_them(copy):
    (copy / "model.safetensors").rename(copy / "model-00001-of-00002.safetensors")
    with pytest.raises(DataError, match=r"model\.safetensors\.index\.json, which lists"):
        load_checkpoint(copy)


def test_what_is_no_checkpoint_folder_is_told_what_one_holds(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match=r"config\.json, .*tokenizer\.json; found no config"):
            load_checkpoint(folder)


def test_a_pickle_is_never_opened(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(DataError, match="pickle"):
        load_checkpoint(copy)


def test_code_that_a_published_folder_brings_along_is_never_run(copy, policy):
    (copy / "modeling_prismatic.py").write_text("raise SystemExit('it was run')")
    auto_map = {"AutoModelForVision2Seq": "modeling_prismatic.OpenVLAForActionPrediction"}
    edit(copy / "config.json", auto_map=auto_map)
    assert load_checkpoint(copy).config == policy.config


@pytest.mark.parametrize("made_for", [["OtherVLA"], [], None, ["OpenVLAForActionPrediction", "X"]])
def test_a_model_that_needs_code_of_its_own_is_refused(copy, made_for):
    edit(copy / "config.json", auto_map={"AutoModel": "m.Model"}, architectures=made_for)
    with pytest.raises(DataError, match=r"auto_map.*never run"):
        load_checkpoint(copy)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_action_bins", 128, "n_action_bins"),
        ("vision_backbone_id", "clip", "not known"),
        ("arch_specifier", "no-align+linear", "arch_specifier"),
        ("vlarl", {"colour": 1}, "colour"),
        ("vlarl", {}, "one or two towers"),
        ("text_config", None, "text_config"),
        ("text_config", {"model_type": "gpt2"}, "llama, mistral, qwen2 wanted; found .*'gpt2'"),
        ("text_config", {"hidden_size": "wide"}, "text_config"),
        ("text_config", {"hidden_size": 30, "num_attention_heads": 4}, "text_config"),
        ("text_config", {"num_attention_heads": 0}, "text_config"),
        ("timm_model_ids", 5, "timm_model_ids"),
        ("norm_stats", [], "norm_stats"),
    ],
)
def test_a_config_that_makes_no_model_is_refused(copy, name, value, message):
    (copy / "dataset_statistics.json").unlink()
    edit(copy / "config.json", **{name: value})
    with pytest.raises(DataError, match=message):
        load_checkpoint(copy)


@pytest.mark.parametrize("content", ["", "[1]", "{"])
def test_a_config_that_is_no_json_object_is_refused(copy, content):
    (copy / "config.json").write_text(content)
    with pytest.raises(DataError, match=r"config\.json"):
        load_config(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"decoding": "backwards"},
        {"chunk": 0},
        {"cameras": ()},
        {"proprio_std": (1.0, 0.0, 1.0)},
        {"proprio_dim": 4},
        {"pixel_mean": (0.5, 0.5, 0.5)},
    ],
)
def test_settings_that_contradict_each_other_are_refused(config, change):
    with pytest.raises(DataError):
        dataclasses.replace(config, **change)


def test_a_fresh_model_follows_its_seed_and_leaves_the_global_one_alone(config: VLAConfig):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (build_tiny(config, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["projector.fc1.weight"], other["projector.fc1.weight"])
    # Row 0, column 0 of the patch grid: sin 0 = 0 and cos 0 = 1, four of each, twice.
    position = one["vision_backbone.featurizer.pos_embed"][0, 0]
    assert position.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 4 + [1.0] * 4
