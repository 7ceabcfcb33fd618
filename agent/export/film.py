"""Images to an MP4 and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import cast

import av
import numpy as np

from agent.episode import Uint8Array
from agent.errors import DataError

# The first that this build of FFmpeg has. Few frames between key frames: readers jump about.
CODECS = {
    "libx264": {"crf": "18", "g": "2", "bf": "0"},
    "mpeg4": {"qscale": "2", "g": "2", "bf": "0"},
}


def codec() -> str:
    """The encoder that `encode` uses. Raises DataError where there is none."""
    for name in CODECS:
        try:
            av.codec.Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        return name
    raise DataError(f"this build of PyAV has none of {', '.join(CODECS)}; pip install 'av>=18.1'")


def encode(images: Iterable[Uint8Array], fps: float) -> bytes:
    """An MP4 of (h, w, 3) images, h and w made even by doubling the last row or column."""
    buffer, name = io.BytesIO(), codec()
    with av.open(buffer, "w", format="mp4") as container:
        stream = None
        for index, image in enumerate(images):
            whole = even(image)
            if stream is None:
                rate = Fraction(fps).limit_denominator(1000)
                added = container.add_stream(name, rate=rate, options=CODECS[name])
                stream = cast("av.VideoStream", added)
                stream.height, stream.width = whole.shape[:2]
                stream.pix_fmt = "yuv420p"
                # While the encoder chose its threads, 1 film in some 100 came out with other bytes.
                stream.codec_context.thread_count = 1
            frame = av.VideoFrame.from_ndarray(whole, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        if stream is None:
            raise DataError("a film wants at least one image, found none; leave the episode out")
        container.mux(stream.encode(None))
    return buffer.getvalue()


def even(image: Uint8Array) -> Uint8Array:
    """The image with even sides, as the codecs want."""
    h, w = image.shape[:2]
    if h % 2 or w % 2:
        return np.pad(image, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
