"""A judge behind an OpenAI-compatible chat endpoint with pictures and log-probabilities."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from agent.episode import Uint8Array
from agent.errors import RewardUnavailable
from agent.reward.line import Body, Line
from agent.reward.question import BINS, NO, PROGRESS, SUCCESS, YES, asked
from agent.reward.reader import Frames, Opinion

TOP = 20  # tokens with their log-probabilities; vLLM and SGLang give no more unless told to
LEAST_MASS = 0.05  # probability that an answer must leave to the words that were asked for


class ChatReader:
    """Asks two questions a view, each answered by one token; its log-probabilities are read.

    vLLM and SGLang serve such an endpoint. Nothing is parsed out of a text.
    """

    def __init__(self, line: Line, name: str = "") -> None:
        self._line, self._name = line, name
        self._id = ""

    @property
    def id(self) -> str:
        """chat/model@hash; weights out of reach are known by what the server says of them."""
        if not self._id:
            self._know()
        return self._id

    def read(self, frames: Frames) -> Opinion:
        """Say it of every view. Raises RewardUnavailable."""
        self._know()
        rows = [self._one(frames, number) for number in range(len(frames))]
        success, progress, uncertainty = np.array(rows, np.float32).reshape(-1, 3).T
        return Opinion(success, progress, uncertainty)

    def _one(self, frames: Frames, number: int) -> tuple[float, float, float]:
        pictures = [
            _picture(shown)
            for images in frames.images.values()
            for shown in (images[0], images[number])
        ]
        done = self._answer(pictures, asked(SUCCESS, frames.instruction), (NO, YES))
        far = self._answer(pictures, asked(PROGRESS, frames.instruction), BINS)
        success = done[1] / sum(done)
        steps = np.arange(len(BINS)) / (len(BINS) - 1)
        progress = float(np.dot(steps, far) / sum(far))
        # In doubt is also who would rather have answered something else.
        return success, progress, max(_entropy(success), 1.0 - min(sum(done), 1.0))

    def _answer(
        self, pictures: list[dict[str, Any]], text: str, words: tuple[str, ...]
    ) -> tuple[float, ...]:
        """Probability of each word as the one token of an answer."""
        asking = {
            "model": self._name,
            "messages": [
                {"role": "user", "content": [*pictures, {"type": "text", "text": text}]},
            ],
            "max_tokens": 1, "temperature": 0.0, "logprobs": True, "top_logprobs": TOP,
        }  # fmt: skip
        body = Body(json.dumps(asking).encode(), "application/json")
        found = _tokens(self._line.ask("/v1/chat/completions", body))
        chances = tuple(found.get(word, 0.0) for word in words)
        if sum(chances) < LEAST_MASS:
            raise RewardUnavailable(
                f"{self._line.url}: an answer of {words[0]} to {words[-1]} wanted, found "
                f"{', '.join(list(found)[:5]) or 'none'}; is it a model that sees pictures?"
            )
        return chances

    def _know(self) -> None:
        """Learn who answers."""
        if self._id:
            return
        told = self._line.ask("/v1/models")
        try:
            entries = {str(each["id"]): each for each in told["data"]}
        except (TypeError, KeyError) as error:
            raise RewardUnavailable(f"{self._line.url}: no list of models: {told!r:.80}") from error
        name = self._name or next(iter(entries), "")
        if name not in entries:
            raise RewardUnavailable(
                f"{self._line.url}: model {name!r} wanted, found {', '.join(entries) or 'none'}; "
                "set reward.name"
            )
        # When it was started is no part of what it is.
        lasting = {k: v for k, v in entries[name].items() if k not in {"created", "permission"}}
        told_hash = hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()
        self._name, self._id = name, f"chat/{name}@{told_hash[:12]}"


def _picture(image: Uint8Array) -> dict[str, Any]:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    data = base64.b64encode(file.getvalue()).decode()
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}


def _tokens(told: Any) -> Mapping[str, float]:  # noqa: ANN401  any JSON
    """Probabilities of the first token by its plain word, spellings of one word together."""
    try:
        top = told["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        chances: dict[str, float] = {}
        for each in top[:TOP]:
            word, log_prob = str(each["token"]).strip().casefold(), float(each["logprob"])
            if not log_prob <= 1e-3:  # NaN is refused too
                raise ValueError(f"a log-probability wanted, found {log_prob}")
            chances[word] = chances.get(word, 0.0) + math.exp(log_prob)
    except (TypeError, KeyError, IndexError, ValueError) as error:
        raise RewardUnavailable(
            f"log-probabilities of one token wanted, found {told!r:.120}: {error!r}"
        ) from error
    return chances


def _entropy(chance: float) -> float:
    """Of yes or no, in bits."""
    if not 0.0 < chance < 1.0:
        return 0.0
    return -(chance * math.log2(chance) + (1.0 - chance) * math.log2(1.0 - chance))
