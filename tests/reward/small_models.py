"""Freshly built random models of four published architectures, each in a folder of its own."""

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma3TextConfig,
    GemmaConfig,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    LlamaConfig,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
    SiglipVisionConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from agent.reward.tiny import TinySizes, build_tiny
from agent.reward.vlm_folder import save_vlm

PX = 32
_VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": PX, "patch_size": 8,
}  # fmt: skip
_WORDS = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "head_dim": 16,
}  # fmt: skip
_TEMPLATE = (
    "{% for message in messages %}User:{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}MARK{% else %}{{ part['text'] }}{% endif %}{% endfor %}\n"
    "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def llava(folder):
    """The architecture of the shipped judge, smaller."""
    sizes = TinySizes(PX, 8, 32, 2, 2, 32, 2, 2)
    save_vlm(*build_tiny(sizes), folder)


def idefics3(folder):
    marks = ["<image>", "<fake_token_around_image>", "<end_of_utterance>", "<global-img>"]
    words = _tokenizer([*marks, *(f"<row_{i}_col_{j}>" for i in range(1, 7) for j in range(1, 7))])
    config = Idefics3Config(
        vision_config=_VISION, scale_factor=2, image_token_id=words.vocab["<image>"],
        text_config=LlamaConfig(vocab_size=1024, **_WORDS), pad_token_id=0,
    )  # fmt: skip
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": PX}, max_image_size={"longest_edge": PX}, do_image_splitting=False
    )
    processor = Idefics3Processor(
        pictures, words, image_seq_len=4, chat_template=_TEMPLATE.replace("MARK", "<image>")
    )
    save_vlm(_model(Idefics3ForConditionalGeneration, config), processor, folder)


def gemma3(folder):
    marks = ["<start_of_image>", "<end_of_image>", "<image_soft_token>"]
    words = _tokenizer(marks, boi_token=marks[0], eoi_token=marks[1], image_token=marks[2])
    config = Gemma3Config(
        vision_config=SiglipVisionConfig(**_VISION, vision_use_head=False),
        text_config=Gemma3TextConfig(vocab_size=1024, sliding_window=64, **_WORDS),
        mm_tokens_per_image=4, image_token_index=words.vocab[marks[2]],
        boi_token_index=words.vocab[marks[0]], eoi_token_index=words.vocab[marks[1]],
    )  # fmt: skip
    processor = Gemma3Processor(
        Gemma3ImageProcessorPil(size={"height": PX, "width": PX}), words, image_seq_length=4,
        chat_template=_TEMPLATE.replace("MARK", marks[0]),
    )  # fmt: skip
    save_vlm(_model(Gemma3ForConditionalGeneration, config), processor, folder)


def paligemma(folder):
    """Without a chat template, as it is published."""
    words = _tokenizer(["<image>"])
    pictures = SiglipImageProcessorPil(size={"height": PX, "width": PX})
    pictures.image_seq_length = 16
    processor = PaliGemmaProcessor(pictures, words)
    config = PaliGemmaConfig(
        vision_config=SiglipVisionConfig(**_VISION, vision_use_head=False),
        text_config=GemmaConfig(vocab_size=2048, **_WORDS), projection_dim=32,
        image_token_index=words.vocab["<image>"],
    )  # fmt: skip
    save_vlm(_model(PaliGemmaForConditionalGeneration, config), processor, folder)


BUILDERS = {each.__name__: each for each in (llava, idefics3, gemma3, paligemma)}


def _model(kind, config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(config)
        # Freshly drawn, towers hardly speak, or not at all, and any two pictures look alike.
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(std=0.1)
    return model.eval()


def _tokenizer(marks, **special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<pad>", "<s>", "</s>", *marks], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    tokenizer.train_from_iterator(["yes", "no", " yes", " no"] * 2, trainer)
    tokenizer.add_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
        padding_side="left", extra_special_tokens=special,
    )  # fmt: skip
