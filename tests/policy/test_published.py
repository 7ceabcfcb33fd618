"""Against the published modelling code: same keys, same features, same logits, same actions."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from agent.errors import DataError
from agent.policy.action_tokens import ids_to_bins, read_stats, to_actions
from agent.policy.checkpoint import load_checkpoint

GOLDEN = Path(__file__).parent / "golden"
IDS = [
    1, 512, 29901, 1724, 3158, 881, 278, 19964, 2125, 304, 1925, 278, 2654, 13630, 373, 278, 21962,
    29973, 13, 3744, 29901, 29871,
]  # fmt: skip
STATS = {
    "action": {
        "q01": [-0.75, -0.65, -0.93, -0.11, -0.17, -0.19, 0.0],
        "q99": [0.93, 0.86, 0.93, 0.13, 0.2, 0.18, 1.0],
        "mask": [True] * 6 + [False],
    }
}
DINO = {
    "width": 32, "depth": 4, "heads": 4, "patch": 14, "image_px": 56, "mlp_width": 128,
    "registers": 4, "class_token": True, "layer_scale": True,
}  # fmt: skip
SIGLIP = {
    "width": 48, "depth": 3, "heads": 4, "patch": 14, "image_px": 56, "mlp_width": 120,
    "attention_pool": True,
}  # fmt: skip
TOWERS = {"fused": [DINO, SIGLIP], "siglip": [SIGLIP], "dino": [DINO]}


def config_of(kind):
    """config.json as a published folder has it, but for its small towers."""
    fused = kind == "fused"
    return {
        "architectures": ["OpenVLAForActionPrediction"],
        "auto_map": {"AutoConfig": "configuration_prismatic.OpenVLAConfig"},
        "arch_specifier": "no-align+fused-gelu-mlp" if fused else "no-align+gelu-mlp",
        "hf_llm_id": "meta-llama/Llama-2-7b-hf",
        "image_resize_strategy": "resize-naive",
        "image_sizes": [56] * len(TOWERS[kind]),
        "llm_backbone_id": "llama2-7b-pure",
        "llm_max_length": 2048,
        "model_type": "openvla",
        "n_action_bins": 256,
        "norm_stats": {"golden": STATS},
        "output_projector_states": False,
        "pad_to_multiple_of": 64,
        "pad_token_id": 32000,
        "text_config": {
            "model_type": "llama",
            "hidden_size": 64,
            "intermediate_size": 160,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 512,
            "rms_norm_eps": 1e-6,
        },
        "torch_dtype": "bfloat16",
        "transformers_version": "4.40.1",
        "use_fused_vision_backbone": fused,
        "vision_backbone_id": "tiny-dinosiglip",
        "vlarl": {"towers": TOWERS[kind]},
    }


def random_weights(shapes, seed):
    """The weights that golden/README.md describes."""
    rng = np.random.default_rng(seed)
    made = {}
    for name in sorted(shapes):
        values = rng.standard_normal(shapes[name], np.float32)
        if "norm" in name and name.endswith("weight"):
            values = 1 + 0.1 * values
        elif name.endswith("scale_factor"):
            values = 0.5 + 0.1 * values
        elif values.ndim >= 2:
            values = values * np.float32(np.prod(values.shape[1:]) ** -0.5)
        else:
            values = 0.1 * values
        if name == "language_model.lm_head.weight":
            values[31744:32000] *= 20
        made[name] = torch.from_numpy(values.astype(np.float32))
    return made


@pytest.fixture(scope="module", params=["fused", "siglip", "dino"])
def published(request, tmp_path_factory):
    """A folder in two shards with the published keys, and what the published code made of it."""
    folder = tmp_path_factory.mktemp(request.param)
    golden = dict(np.load(GOLDEN / f"{request.param}.npz"))
    (folder / "config.json").write_text(json.dumps(config_of(request.param)))
    with pytest.raises(DataError) as error:
        load_checkpoint(folder)
    assert "model.safetensors" in str(error.value)
    from agent.policy.checkpoint import load_config
    from agent.policy.vla import VLA

    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in VLA(load_config(folder)).state_dict().items()}
    assert sorted(shapes) == sorted(golden["keys"].tolist())  # no more and no fewer
    weights = random_weights(shapes, int(golden["seed"]))
    names, half = sorted(weights), len(weights) // 2
    shards = {"model-00001-of-00002.safetensors": names[:half],
              "model-00002-of-00002.safetensors": names[half:]}  # fmt: skip
    for file, part in shards.items():
        save_file({name: weights[name] for name in part}, str(folder / file), {"format": "pt"})
    index = {name: file for file, part in shards.items() for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return load_checkpoint(folder), golden


def seen_of(vla, golden):
    rng = np.random.default_rng(int(golden["seed"]) + 1)
    pixels = rng.standard_normal((1, 3 * len(vla.config.towers), 56, 56), np.float32)
    patches = vla.patches(torch.from_numpy(pixels)[:, None])
    ids = torch.tensor([IDS])
    return patches, None, ids, torch.ones_like(ids, dtype=torch.bool)


@torch.no_grad()
def test_what_the_towers_and_the_projector_see_is_the_same(published):
    vla, golden = published
    patches = seen_of(vla, golden)[0]
    wanted = torch.from_numpy(golden["projected"])
    torch.testing.assert_close(patches[0, :, :8], wanted, atol=1e-5, rtol=0)


@torch.no_grad()
def test_greedy_tokens_and_actions_are_the_same(published):
    vla, golden = published
    tokens, _ = vla.sample(*seen_of(vla, golden), 0.0)
    assert tokens[0].tolist() == ids_to_bins(golden["tokens"], 32000).tolist()
    (action,) = to_actions(tokens[0].numpy(), read_stats(vla.config.norm_stats, ""))
    np.testing.assert_allclose(action.delta, golden["actions"][:6], atol=1e-6, rtol=0)
    # The seventh is an opening; what lies outside 0 .. 1 cannot be opened to.
    assert action.gripper == pytest.approx(np.clip(golden["actions"][6], 0, 1), abs=1e-6)


@torch.no_grad()
def test_logits_of_all_256_bins_are_the_same(published):
    vla, golden = published
    tokens = torch.from_numpy(ids_to_bins(golden["tokens"], 32000).astype(np.int64))[None]
    logits = vla.action_logits(*seen_of(vla, golden), tokens)[0]
    wanted = torch.from_numpy(golden["logits"]).flip(-1)  # ids run against the bins
    torch.testing.assert_close(logits, wanted, atol=1e-4, rtol=0)
    assert wanted.std() > 1  # random weights, but no flat answer
