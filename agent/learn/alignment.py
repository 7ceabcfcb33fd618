"""From start views of a deployment, and of the training world, to what corrects the pictures.

Robust statistics of each camera are brought to those of the training world: where things stand in
the picture, mean and deviation of each colour, the wheel of hues. Matching statistics of unlabelled
data is the idea of AdaBN (Li et al. 2016) and CORAL (Sun et al. 2016); here it is done before the
towers, where the shifts that one meets are truly affine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from agent.episode import BoolArray, Uint8Array
from agent.policy.correction import Correction, unchanged
from calibration.tint import hue_matrix, hues, levels, turned
from calibration.view import ViewOffset, ViewReference, register
from calibration.view import reference as view_of

Float64Array = NDArray[np.float64]

SURE = 4.0  # standard errors; what is nearer to nothing is nothing
MOST_VIEWS = 12  # of either side that are laid over the reference
# What counts at all, and what is too far to be brought back: right and down, shares of the width;
# turn, rad; log scale.
LEAST_PLACE = np.array([0.015, 0.015, math.radians(1.5), math.log(1.03)])
MOST_PLACE = np.array([0.3, 0.3, math.radians(25.0), math.log(1.4)])
NOISE_PLACE = np.array([0.001, 0.001, math.radians(0.1), 0.002])
UNLIKE = 0.5  # of the usual likeness: what is registered then means nothing
# Of mean (of 1) and log deviation of a colour.
LEAST_LEVEL, NOISE_LEVEL = np.repeat([0.02, 0.05], 3), np.repeat([0.002, 0.005], 3)
MOST_GAIN = 8.0
HUE_ASIDE = 0.005  # of 1, by which median views may lie farther apart where hues are turned
LEAST_TURNS, LEAST_LIKENESS, LEAST_RISE = 2.0 / 72.0, 0.7, 0.1  # of hues


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found of one camera. Right and down: shares of the width, as things moved.

    gain: by which the light is corrected, the farthest of three colours. apart_before,
    apart_after: mean difference of the median start views, of 1.
    """

    camera: str
    right: float = 0.0
    down: float = 0.0
    turn_deg: float = 0.0
    scale: float = 1.0
    gain: float = 1.0
    hue_turns: float = 0.0
    apart_before: float = 0.0
    apart_after: float = 0.0

    def __str__(self) -> str:
        """One line; nothing but the camera where nothing is corrected."""
        said = []
        if any((self.right, self.down, self.turn_deg)) or self.scale != 1.0:
            said.append(
                f"its view went {100 * self.right:+.1f} % right, {100 * self.down:+.1f} % down, "
                f"{self.turn_deg:+.1f} deg, x{self.scale:.2f}"
            )
        if self.gain != 1.0:
            said.append(f"light x{1.0 / self.gain:.2f}")
        if self.hue_turns:
            said.append(f"hues turned by {self.hue_turns:+.2f}")
        return f"{self.camera}: {', '.join(said) or 'as it was'}"


def estimate(
    cameras: tuple[str, ...], here: Uint8Array, known: Uint8Array
) -> tuple[Correction, tuple[Seen, ...]]:
    """What makes views (n, C, px, px, 3) of here look as those known; and why, by camera.

    A camera is left alone where nothing departs surely, or where correcting brings its views no
    nearer to those known.
    """
    found, told = unchanged(cameras), []
    for index, name in enumerate(cameras):
        ours, theirs = here[:, index], known[:, index]
        before = _apart(found, index, ours, theirs)
        tried, seen = _placed(found, index, ours, theirs, Seen(name))
        tried, seen = _coloured(tried, index, ours, theirs, seen)
        after = _apart(tried, index, ours, theirs)
        # Medians over views show no thing that lies elsewhere each time, and so hardly a hue.
        better = after < before or (seen.hue_turns != 0.0 and after < before + HUE_ASIDE)
        seen = seen if better else Seen(name)
        found = tried if better else found
        told.append(replace(seen, apart_before=before, apart_after=min(before, after)))
    return found, tuple(told)


def figures(told: Sequence[Seen], episodes: int) -> dict[str, float]:
    """What an alignment found, as metrics."""
    worst = max(told, key=lambda each: each.apart_before)
    return {
        "align/episodes": float(episodes),
        "align/shift": max(math.hypot(each.right, each.down) for each in told),
        "align/turn_deg": max((each.turn_deg for each in told), key=abs),
        "align/scale": max((each.scale for each in told), key=lambda s: abs(math.log(s))),
        "align/gain": max((each.gain for each in told), key=lambda g: abs(math.log(g))),
        "align/hue_turns": max((each.hue_turns for each in told), key=abs),
        "align/apart_before": worst.apart_before,
        "align/apart_after": worst.apart_after,
    }


def _placed(
    so_far: Correction, index: int, ours: Uint8Array, theirs: Uint8Array, seen: Seen
) -> tuple[Correction, Seen]:
    """With the place of things put right, where it surely is another one."""
    still = view_of(list(theirs))
    now, before = (_offsets(still, each[:MOST_VIEWS]) for each in (ours, theirs))
    off, sure = _departure(now[:, :4], before[:, :4], NOISE_PLACE)
    alike = np.median(now[:, 4]) > UNLIKE * np.median(before[:, 4])
    counts = (sure > SURE) & (np.abs(off) > LEAST_PLACE)
    if not alike or not counts.any() or (np.abs(off) > MOST_PLACE).any():
        return so_far, seen
    right, down, turn, size = off
    cosine, sine = math.exp(size) * math.cos(turn), math.exp(size) * math.sin(turn)
    place = so_far.place.clone()
    # Half a picture is 1, so shares of the width count twice.
    place[index] = torch.tensor([[cosine, -sine, 2 * right], [sine, cosine, 2 * down]])
    seen = replace(
        seen, right=float(right), down=float(down), turn_deg=math.degrees(turn),
        scale=math.exp(size),
    )  # fmt: skip
    return replace(so_far, place=place), seen


def _coloured(
    so_far: Correction, index: int, ours: Uint8Array, theirs: Uint8Array, seen: Seen
) -> tuple[Correction, Seen]:
    """With hues and light put right, where they surely are others."""
    counted = _counted(so_far, index, theirs)
    now = hues(_through(_lit(so_far, index, ours, theirs, counted)[0], index, ours), counted)
    before = hues(theirs, counted)
    halves = [turned(part.sum(0), before.sum(0)) for part in (now, now[::2], now[1::2])]
    found = halves[0]
    agree = all(abs(each.turns - found.turns) <= LEAST_TURNS for each in halves)
    rises = found.likeness > max(LEAST_LIKENESS, found.as_it_is + LEAST_RISE)
    if agree and rises and abs(found.turns) >= LEAST_TURNS:
        colours = so_far.colours.clone()
        colours[index] = torch.from_numpy(hue_matrix(-found.turns)).float()
        so_far, seen = replace(so_far, colours=colours), replace(seen, hue_turns=found.turns)
    lit, gain = _lit(so_far, index, ours, theirs, counted)
    return lit, replace(seen, gain=gain)


def _lit(
    so_far: Correction, index: int, ours: Uint8Array, theirs: Uint8Array, counted: BoolArray
) -> tuple[Correction, float]:
    """With mean and deviation of each colour brought to those known; and the farthest gain."""
    now, before = levels(_through(so_far, index, ours), counted), levels(theirs, counted)
    off, sure = _departure(now, before, NOISE_LEVEL)
    if not ((sure > SURE) & (np.abs(off) > LEAST_LEVEL)).any():
        return so_far, 1.0
    gain = np.clip(np.exp(-off[3:]), 1.0 / MOST_GAIN, MOST_GAIN)
    middle = np.median(now, axis=0)[:3]
    bias = middle - off[:3] - gain * middle
    colours, biases = so_far.colours.clone(), so_far.bias.clone()
    colours[index] = torch.from_numpy(np.diag(gain)).float() @ colours[index]
    biases[index] = torch.from_numpy(bias).float()
    farthest = max((float(each) for each in gain), key=lambda g: abs(math.log(g)))
    return replace(so_far, colours=colours, bias=biases), farthest


def _departure(
    now: Float64Array, before: Float64Array, noise: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """How far medians of now (n, k) are off those of before, and in how many standard errors.

    What is little beside its error is drawn to nothing (James and Stein 1961), so that few views
    move little.
    """
    off = np.median(now, axis=0) - np.median(before, axis=0)
    # The median's variance is pi / 2 times the mean's.
    variance = 0.5 * math.pi * (_spread(now, noise) ** 2 / len(now))
    variance += 0.5 * math.pi * (_spread(before, noise) ** 2 / len(before))
    sure = np.abs(off) / np.sqrt(variance)
    kept = np.maximum(0.0, 1.0 - 1.0 / np.maximum(sure, 1e-9) ** 2)
    return off * kept, sure


def _spread(rows: Float64Array, noise: Float64Array) -> Float64Array:
    apart = np.abs(rows - np.median(rows, axis=0))
    return np.asarray(np.maximum(1.4826 * np.median(apart, axis=0), noise), np.float64)


def _offsets(still: ViewReference, pictures: Uint8Array) -> Float64Array:
    """Right, down (shares of the width), turn (rad), log scale and likeness of each, (n, 5)."""
    width = pictures.shape[2]
    rows: list[ViewOffset] = [register(still, each) for each in pictures]
    return np.array(
        [
            (each.shift_px[0] / width, each.shift_px[1] / width,
             math.radians(each.rotation_deg), math.log(each.scale), each.confidence)
            for each in rows
        ]
    )  # fmt: skip


def _through(correction: Correction, index: int, pictures: Uint8Array) -> Uint8Array:
    """Pictures (n, h, w, 3) of one camera as they look corrected."""
    one = replace(
        correction, cameras=correction.cameras[index : index + 1],
        place=correction.place[index : index + 1], colours=correction.colours[index : index + 1],
        bias=correction.bias[index : index + 1],
    )  # fmt: skip
    unit = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    seen = one(unit[:, None])[:, 0].permute(0, 2, 3, 1)
    return np.asarray((255 * seen).round().byte().numpy(), np.uint8)


def _counted(correction: Correction, index: int, pictures: Uint8Array) -> BoolArray:
    return np.asarray(correction.reach(index, *pictures.shape[1:3]).numpy(), np.bool_)


def _apart(correction: Correction, index: int, ours: Uint8Array, theirs: Uint8Array) -> float:
    """Mean difference of the median views, of 1, where the corrected one truly shows something."""
    counted = _counted(correction, index, theirs)
    now = np.median(_through(correction, index, ours), axis=0)[counted]
    before = np.median(theirs, axis=0)[counted]
    return float(np.abs(now - before).mean()) / 255.0
