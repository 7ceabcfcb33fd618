"""A checkpoint folder as OpenVLA is published, with random weights: to measure size and speed with.

    python -m benchmarks.published_folder --size fiftieth --out /somewhere/fiftieth
    python -m benchmarks.published_folder --size full --out /somewhere/7b        # 15 GB

Names, shards, config.json and precision are the published ones; nothing of its contents is.
The tokenizer knows the words of the prompt by Llama 2's ids, and no others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from torch import Tensor

from agent.policy.checkpoint import built
from agent.policy.config import config_from_json

SHARD_BYTES = 5_000_000_000
# hidden, MLP width, layers, heads of the language model; widths of the towers are the published
# ones at full size, and a seventh of them at a fiftieth of the parameters.
SIZES: Mapping[str, tuple[int, int, int, int]] = {
    "full": (4096, 11008, 32, 32),
    "fiftieth": (768, 2064, 16, 12),
    "tiny": (128, 384, 4, 4),
}
TINY_TOWERS = [
    {"width": 192, "depth": 8, "heads": 3, "patch": 14, "image_px": 224, "mlp_width": 768,
     "registers": 4, "class_token": True, "layer_scale": True},
    {"width": 192, "depth": 9, "heads": 3, "patch": 14, "image_px": 224, "mlp_width": 720,
     "attention_pool": True},
]  # fmt: skip
WORDS = {
    "In": 512, ":": 29901, "What": 1724, "action": 3158, "should": 881, "the": 278, "robot": 19964,
    "take": 2125, "to": 304, "?": 29973, "\n": 13, "Out": 3744, "put": 1925, "red": 2654,
    "cube": 28704, "on": 373, "plate": 16746, "pick": 5839, "up": 701, "<unk>": 0, "<s>": 1,
    "</s>": 2, "<PAD>": 32000, "empty": 29871,
}  # fmt: skip


def main() -> int:
    """Write the folder asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="fiftieth")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write(options.size, options.out)
    sys.stderr.write(f"{options.out}\n")
    return 0


def write(size: str, folder: Path, seed: int = 0) -> None:
    """Write config.json, shards of safetensors in bf16, their index, tokenizer, preprocessor."""
    folder.mkdir(parents=True, exist_ok=True)
    config = published_config(size)
    _write_json(folder / "config.json", config)
    _write_json(folder / "dataset_statistics.json", config["norm_stats"])
    _write_json(
        folder / "preprocessor_config.json",
        {
            "image_resize_strategy": "resize-naive",
            "tvf_normalize_params": [
                {"mean": [0.484375, 0.455078125, 0.40625],
                 "std": [0.228515625, 0.2236328125, 0.224609375]},
                {"mean": [0.5] * 3, "std": [0.5] * 3},
            ],
        },
    )  # fmt: skip
    published_tokenizer().save(str(folder / "tokenizer.json"))
    with torch.device("meta"):
        shapes = {
            name: tensor.shape
            for name, tensor in built(config_from_json(config)).state_dict().items()
        }
    shards = list(_shards(shapes))
    index: dict[str, str] = {}
    generator = torch.Generator().manual_seed(seed)
    for number, names in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        weights = {name: _random(name, shapes[name], generator) for name in names}
        save_file(weights, str(folder / file), metadata={"format": "pt"})
        index |= dict.fromkeys(names, file)
    total = sum(2 * shape.numel() for shape in shapes.values())
    _write_json(
        folder / "model.safetensors.index.json",
        {"metadata": {"total_size": total}, "weight_map": index},
    )


def published_config(size: str) -> dict[str, Any]:
    """The content of config.json."""
    hidden, between, layers, heads = SIZES[size]
    config: dict[str, Any] = {
        "architectures": ["OpenVLAForActionPrediction"],
        "auto_map": {"AutoModelForVision2Seq": "modeling_prismatic.OpenVLAForActionPrediction"},
        "arch_specifier": "no-align+fused-gelu-mlp",
        "image_resize_strategy": "resize-naive",
        "image_sizes": [224, 224],
        "llm_backbone_id": "llama2-7b-pure",
        "model_type": "openvla",
        "n_action_bins": 256,
        "norm_stats": {
            "libero_object_no_noops": {
                "action": {
                    "q01": [-0.5, -0.6, -0.9, -0.1, -0.1, -0.15, 0.0],
                    "q99": [0.9, 0.9, 0.9, 0.1, 0.1, 0.15, 1.0],
                    "mask": [True] * 6 + [False],
                }
            }
        },
        "pad_to_multiple_of": 64,
        "pad_token_id": 32000,
        "text_config": {
            "model_type": "llama",
            "vocab_size": 32064,
            "hidden_size": hidden,
            "intermediate_size": between,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": heads,
            "max_position_embeddings": 2048,
            "rms_norm_eps": 1e-6,
        },
        "timm_model_ids": [
            "vit_large_patch14_reg4_dinov2.lvd142m", "vit_so400m_patch14_siglip_224",
        ],
        "torch_dtype": "bfloat16",
        "use_fused_vision_backbone": True,
        "vision_backbone_id": "dinosiglip-vit-so-224px",
    }  # fmt: skip
    if size != "full":
        config |= {"vision_backbone_id": "tiny-dinosiglip", "vlarl": {"towers": TINY_TOWERS}}
    return config


def published_tokenizer() -> Tokenizer:
    """A tokenizer of 32,001 ids in which the prompt's words have their published ones."""
    taken = set(WORDS.values())
    vocabulary = WORDS | {f"<{n}>": n for n in range(32001) if n not in taken}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"\w+|[^\w\s]|\n"), "removed", invert=True)
    return tokenizer


def _shards(shapes: Mapping[str, torch.Size]) -> Iterator[list[str]]:
    names: list[str] = []
    size = 0
    for name, shape in shapes.items():
        if names and size + 2 * shape.numel() > SHARD_BYTES:
            yield names
            names, size = [], 0
        names.append(name)
        size += 2 * shape.numel()
    yield names


def _random(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    values = torch.randn(shape, generator=generator, dtype=torch.float32)
    if len(shape) > 1:
        values *= (shape.numel() / shape[0]) ** -0.5
    elif "norm" in name and name.endswith("weight"):
        values = 1 + 0.1 * values
    else:
        values *= 0.1
    return values.bfloat16()


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
