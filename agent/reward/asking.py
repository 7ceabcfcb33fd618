"""One-token questions about pictures, put to any vision-language model of transformers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.modeling_outputs import BaseModelOutputWithPooling

from agent.episode import Uint8Array
from agent.errors import DataError
from agent.reward.question import BINS, NO, YES

# A model or processor of any architecture: transformers' types cannot say what it takes.
Model = Any

# What of a processor's answer belongs to the words; the rest belongs to the pictures.
_WORDS = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
_KNOWN = 4096  # prompts remembered


class Asker:
    """Puts a model's processor and vision tower to use: words once, pictures once.

    All pictures of one size make prompts of one length, so the words are worked out once for each
    question; what the vision tower makes of a picture is handed back, to be used again.
    """

    def __init__(self, model: Model, processor: Model) -> None:
        self.model, self.processor = model, processor
        self.yes, self.no = self._one_of(YES), self._one_of(NO)
        self.bins = tuple(self._one_of(each) for each in BINS)
        accepted = inspect.signature(model.forward).parameters
        self._keeps = "mm_encoder_outputs" in accepted
        self._stacked = False
        self._last_only = "logits_to_keep" in accepted
        self._known: dict[tuple[str, tuple[tuple[int, ...], ...]], dict[str, Tensor]] = {}

    @property
    def caches(self) -> bool:
        """Whether this architecture takes features of pictures instead of the pictures."""
        return self._keeps

    def words(self, text: str, pictures: Sequence[Uint8Array]) -> dict[str, Tensor]:
        """A prompt about some pictures as (1, L) tensors; pictures count by their sizes alone."""
        key = text, tuple(each.shape for each in pictures)
        if key not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            told = self._processed([self._prompt(text, len(pictures))], [list(pictures)])
            self._known[key] = {name: told[name] for name in _WORDS if name in told}
        return self._known[key]

    def see(self, pictures: Sequence[Uint8Array]) -> list[Tensor]:
        """What the vision tower makes of each picture. Only where `caches`."""
        one = self._prompt("", 1)
        told = self._processed([one] * len(pictures), [[each] for each in pictures])
        looked = {name: value for name, value in told.items() if name not in _WORDS}
        found = self.model.get_image_features(**looked, return_dict=True)
        if "deepstack_features" in found:
            self._keeps = False
        # Some architectures speak of a list of pictures, some of one tensor, and want it back so.
        self._stacked = isinstance(found.pooler_output, Tensor)
        features = list(found.pooler_output)
        share = len(features) // len(pictures)
        parts = [features[n * share : (n + 1) * share] for n in range(len(pictures))]
        return [torch.stack(list(part)) for part in parts]

    def logits(
        self, prompts: Sequence[Mapping[str, Tensor]], features: Sequence[Sequence[Tensor]]
    ) -> Tensor:
        """Logits (n, vocabulary) of the token that follows each prompt, float32."""
        words = _together(prompts, self._pad)
        seen = [part for each in features for picture in each for part in picture]
        outputs = BaseModelOutputWithPooling()
        outputs["pooler_output"] = torch.stack(seen) if self._stacked else seen
        return self._forward(words, {"mm_encoder_outputs": {"image": outputs}})

    def logits_of(self, text: str, shown: Sequence[Sequence[Uint8Array]]) -> Tensor:
        """The same straight from pictures, for models that take no features."""
        prompts = [self._prompt(text, len(each)) for each in shown]
        told = self._processed(prompts, [list(each) for each in shown])
        return self._forward(told, {})

    def _forward(self, words: Mapping[str, Tensor], more: Mapping[str, Any]) -> Tensor:
        if self._last_only:
            more = {**more, "logits_to_keep": 1}
        answer = self.model(**words, **more, use_cache=False)
        found: Tensor = answer.logits[:, -1].float()
        return found

    def _processed(
        self, texts: Sequence[str], pictures: Sequence[Sequence[Uint8Array]]
    ) -> dict[str, Tensor]:
        told = self.processor(
            text=list(texts), images=[list(each) for each in pictures], return_tensors="pt"
        )
        device = self.model.device
        # Some processors add what a training of their own would want, which is none of ours.
        return {name: value.to(device) for name, value in told.items() if name != "labels"}

    def _prompt(self, text: str, pictures: int) -> str:
        """The user's turn, through the chat template where there is one."""
        if getattr(self.processor, "chat_template", None):
            content = [{"type": "image"}] * pictures + [{"type": "text", "text": text}]
            said: str = self.processor.apply_chat_template(
                [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
            )
            return said
        mark = getattr(self.processor, "image_token", "<image>")
        return mark * pictures + text

    @property
    def _pad(self) -> int:
        return int(self.processor.tokenizer.pad_token_id or 0)

    def _one_of(self, answer: str) -> Tensor:
        """Every token that says this answer. Raises DataError where none does."""
        told = self.processor.tokenizer
        said = [form for word in (answer, answer.capitalize()) for form in (word, f" {word}")]
        codes = [told.encode(form, add_special_tokens=False) for form in dict.fromkeys(said)]
        single = sorted({code[0] for code in codes if len(code) == 1})
        if not single:
            raise DataError(
                f"a tokenizer that says {answer!r} in one token wanted, this one takes "
                f"{len(codes[0])}; another checkpoint is needed as a judge"
            )
        return torch.tensor(single)


def _together(prompts: Sequence[Mapping[str, Tensor]], filler: int) -> dict[str, Tensor]:
    """Prompts of different lengths in one batch, padded on the left."""
    longest = max(each["input_ids"].shape[1] for each in prompts)
    words: dict[str, Tensor] = {}
    for name in prompts[0]:
        value = filler if name == "input_ids" else 0
        rows = [
            pad(each[name], (longest - each[name].shape[1], 0), value=value) for each in prompts
        ]
        words[name] = torch.cat(rows)
    return words
