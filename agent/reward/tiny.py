"""A small vision-language model of a published architecture (LLaVA), built in code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import (
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SiglipVisionConfig,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from agent.errors import DataError
from agent.reward.question import BINS, MILESTONE, NO, PROGRESS, SUCCESS, YES

PAD, BOS, EOS, IMAGE = "<pad>", "<s>", "</s>", "<image>"
_WORDS = """
red green blue yellow purple orange pink white black brown gray grey cyan violet dark marked
cube block brick ball cylinder can box basket plate bowl cup mug bottle tray drawer button switch
lever knob door cabinet zone area patch table tower gripper object thing sponge towel
pick place put push press touch stack reach open close turn move lift raise grasp grab hold drop
release slide shove hit tap set take leave build bring pull insert pour wipe
up down in on into onto to from of off over under above below behind beside near next at by it
the a an and one pushing top left right front back first second
"""
_CHAT = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
)
# Where the words of a template stand round the task; each is one token of the tiny vocabulary.
_TEMPLATE_WORDS = tuple(
    dict.fromkeys(part for each in (SUCCESS, PROGRESS, MILESTONE) for part in each.split("{task}"))
)


@dataclass(frozen=True, slots=True)
class TinySizes:
    """Sizes of the small model; the vision tower's fit that of the built-in policy."""

    image_px: int = 96
    patch_px: int = 24
    vision_width: int = 96
    vision_layers: int = 3
    vision_heads: int = 4
    hidden: int = 128
    layers: int = 3
    heads: int = 4
    seed: int = 0


def build_tiny(sizes: TinySizes) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """A fresh model in float32 and its processor. The same sizes give the same weights."""
    tokenizer = _tokenizer()
    config = LlavaConfig(
        vision_config=SiglipVisionConfig(
            hidden_size=sizes.vision_width,
            intermediate_size=4 * sizes.vision_width,
            num_hidden_layers=sizes.vision_layers,
            num_attention_heads=sizes.vision_heads,
            image_size=sizes.image_px,
            patch_size=sizes.patch_px,
            hidden_act="gelu",
            vision_use_head=False,
        ),
        text_config=LlamaConfig(
            vocab_size=-(-len(tokenizer) // 64) * 64,
            hidden_size=sizes.hidden,
            intermediate_size=3 * sizes.hidden,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            num_key_value_heads=sizes.heads,
            max_position_embeddings=1024,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        ),
        image_token_index=int(tokenizer.vocab[IMAGE]),
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_seq_length=(sizes.image_px // sizes.patch_px) ** 2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sizes.seed)
        model = LlavaForConditionalGeneration(config)
        _begin(model, sizes)
    processor = LlavaProcessor(
        image_processor=SiglipImageProcessorPil(
            size={"height": sizes.image_px, "width": sizes.image_px}
        ),
        tokenizer=tokenizer,
        patch_size=sizes.patch_px,
        vision_feature_select_strategy="full",
        chat_template=_CHAT,
    )
    return model, processor


def borrow_tower(model: LlavaForConditionalGeneration, policy: Path) -> None:
    """Start the vision tower from the SigLIP tower of a policy's checkpoint folder.

    Raises DataError for a folder without one of these sizes.
    """
    path = policy / "model.safetensors"
    try:
        weights = load_file(str(path))
    except (SafetensorError, OSError) as error:
        raise DataError(f"a policy's weights wanted in {path}, found {error}") from error
    own = model.model.vision_tower.state_dict()
    try:
        lent = {name: _lent(name, weights) for name in own}
    except KeyError as error:
        raise DataError(f"a SigLIP tower wanted in {path}, but it lacks {error}") from error
    unfit = [name for name in own if lent[name].shape != own[name].shape]
    if unfit:
        raise DataError(f"a tower of the same sizes wanted in {path}; {unfit[0]} differs")
    model.model.vision_tower.load_state_dict(lent)


def _lent(name: str, weights: dict[str, Tensor]) -> Tensor:
    """What a policy calls this parameter of transformers' SigLIP (timm's names)."""
    root = "vision_backbone.fused_featurizer."
    last = name.rsplit(".", 1)[-1]
    if "position_embedding" in name:
        return weights[root + "pos_embed"][0]
    if "patch_embedding" in name:
        return weights[f"{root}patch_embed.proj.{last}"]
    if "post_layernorm" in name:
        return weights[f"{root}norm.{last}"]
    number = name.partition("layers.")[2].partition(".")[0]
    block = f"{root}blocks.{number}."
    for place, part in enumerate(("q_proj", "k_proj", "v_proj")):
        if part in name:
            return weights[f"{block}attn.qkv.{last}"].chunk(3)[place]
    renamed = {
        "out_proj": "attn.proj", "layer_norm1": "norm1", "layer_norm2": "norm2",
        "fc1": "mlp.fc1", "fc2": "mlp.fc2",
    }  # fmt: skip
    found = next(theirs for ours, theirs in renamed.items() if f".{ours}." in name)
    return weights[f"{block}{found}.{last}"]


def _tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE: known words and the template are one token each, other text is bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=760,
        min_frequency=1,
        special_tokens=[PAD, BOS, EOS, IMAGE],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    words = _WORDS.split()
    tokenizer.train_from_iterator([*words, *(f" {word}" for word in words), YES, NO], trainer)
    tokenizer.add_tokens([AddedToken(each, normalized=False) for each in _TEMPLATE_WORDS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS,
        padding_side="left",
    )  # fmt: skip
    lacking = [each for each in (YES, NO, *BINS) if len(fast.encode(each)) != 1]
    if lacking:
        raise TypeError(f"answers of one token each wanted; {lacking} take several")
    return fast


def _begin(model: LlavaForConditionalGeneration, sizes: TinySizes) -> None:
    """Weights of a size that lets every layer speak, and positions as sines and cosines."""
    parts = (model.model.vision_tower, model.model.multi_modal_projector)
    for module in (each for part in parts for each in part.modules()):
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    side, width = sizes.image_px // sizes.patch_px, sizes.vision_width
    rates = 10000.0 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * rates
    waves = torch.cat([angles.sin(), angles.cos()], 1)
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.cat([waves[rows.flatten()], waves[columns.flatten()]], 1)
    with torch.no_grad():
        found = next(p for n, p in model.named_parameters() if "position_embedding" in n)
        found.copy_(places)
