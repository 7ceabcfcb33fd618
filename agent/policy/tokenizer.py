"""Words to token ids: a folder's tokenizer.json, or the tiny one built from a word list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

from agent.errors import DataError
from agent.policy.action_tokens import BINS
from agent.policy.config import VLAConfig
from agent.policy.prompt import AFTER, BEFORE, prompt_text

PAD, BOS, EOS, EMPTY = "<pad>", "<s>", "</s>", "<empty>"
# The start of the published tokenizer's ids for "In: What action should the robot take to".
PUBLISHED_START = (512, 29901, 1724, 3158, 881, 278, 19964, 2125, 304)

_WORDS = """
red green blue yellow purple orange pink white black brown gray grey silver golden wooden metal
cube block ball cylinder cone box basket plate bowl cup mug bottle can tray drawer button switch
lever knob door cabinet stove microwave shelf rack table pan pot moka lid book caddy compartment
soup sauce cheese cream butter milk juice pudding dressing salad ketchup tomato alphabet bbq wine
chocolate ramekin cookie cookies object objects item thing things sponge towel cloth bread egg
pick place put push press touch stack reach open close turn move lift grasp grab hold drop release
slide rotate insert pour wipe lay set bring take pull throw sort fold flip hang unstack go find
up down in on into onto to from of off over under above below behind beside between near next at
around inside outside out away toward towards with without by for as
the a an and or it its them both all each other another same one two three four five then first
second third last not no is are be that this which while until after before
left right front back top bottom middle center centre side edge corner upper lower far nearest
farthest small large big little long short tall medium round square flat robot gripper arm hand
slowly quickly gently carefully ten centimetres centimeters cm
"""
WORDS = tuple(dict.fromkeys(_WORDS.split()))


class PromptTokenizer:
    """Turns instructions into padded prompt ids. Text in an instruction is only ever text."""

    def __init__(self, tokenizer: Tokenizer, config: VLAConfig) -> None:
        self._tokenizer = tokenizer
        self._config = config
        self._known: dict[str, tuple[int, ...]] = {}
        tokenizer.encode_special_tokens = True
        _check(tokenizer, config)

    def ids(self, instruction: str) -> tuple[int, ...]:
        """BOS, the prompt, the empty token. Raises DataError for an empty instruction."""
        known = self._known.get(instruction)
        if known is None:
            text = prompt_text(instruction)
            words = self._tokenizer.encode(text, add_special_tokens=False).ids
            known = (self._config.bos_token_id, *words, self._config.empty_token_id)
            if len(self._known) > 4096:
                self._known.clear()
            self._known[instruction] = known
        return known

    def batch(self, instructions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids (B, L) int64 padded on the left, and a mask (B, L) True where a token counts."""
        rows = [self.ids(instruction) for instruction in instructions]
        longest = max(len(row) for row in rows)
        pads = [(self._config.pad_token_id,) * (longest - len(row)) for row in rows]
        ids = torch.tensor([[*pad, *row] for pad, row in zip(pads, rows, strict=True)])
        mask = torch.arange(longest) >= torch.tensor([[len(pad)] for pad in pads])
        return ids, mask

    def save(self, folder: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json."""
        self._tokenizer.encode_special_tokens = False
        self._tokenizer.save(str(folder / "tokenizer.json"))
        self._tokenizer.encode_special_tokens = True
        names = {
            role: self._tokenizer.id_to_token(token)
            for role, token in (
                ("bos_token", self._config.bos_token_id),
                ("eos_token", int(self._config.text_config.get("eos_token_id", 2))),
                ("pad_token", self._config.pad_token_id),
            )
        }
        content = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
        (folder / "tokenizer_config.json").write_text(json.dumps(content, indent=2) + "\n")


def load_tokenizer(folder: Path, config: VLAConfig) -> PromptTokenizer:
    """Read a folder's tokenizer.json. Raises DataError where it is missing or does not fit."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise DataError(f"a checkpoint needs tokenizer.json; none in {folder}")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for any bad file
        raise DataError(f"{path} is no tokenizer: {error}") from error
    return PromptTokenizer(tokenizer, config)


def tiny_tokenizer(text_vocabulary: int = 1024) -> Tokenizer:
    """Learn a byte-level BPE from WORDS: known words are one token, all other text is bytes.

    The two ends of the prompt are one token each: a tiny model should spend none on them.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=text_vocabulary - 2,
        min_frequency=1,
        special_tokens=[PAD, BOS, EOS, EMPTY],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([f" {word}" for word in WORDS], trainer)
    tokenizer.add_tokens([AddedToken(end, normalized=False) for end in (BEFORE, AFTER)])
    return tokenizer


def _check(tokenizer: Tokenizer, config: VLAConfig) -> None:
    size = int(config.text_config["vocab_size"])
    named = (config.bos_token_id, config.pad_token_id, config.empty_token_id)
    if tokenizer.get_vocab_size() > size or max(named) >= size:
        raise DataError(
            f"the tokenizer has {tokenizer.get_vocab_size()} tokens and the config names ids "
            f"{named}; the model has rows for {size}"
        )
    words = tokenizer.encode(prompt_text("put"), add_special_tokens=False).ids
    actions = range(config.base_vocabulary - BINS, config.base_vocabulary)
    if any(word in actions for word in words):
        raise DataError("the tokenizer's words overlap the 256 action ids; another model's?")
    if config.base_vocabulary == 32000 and tuple(words[: len(PUBLISHED_START)]) != PUBLISHED_START:
        raise DataError(
            f"Llama 2's tokenizer starts the prompt with {PUBLISHED_START}; this one with "
            f"{tuple(words[: len(PUBLISHED_START)])}"
        )
