"""How pictures are packed, by camera: always lossless, always readable by any Zarr 3 program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import UsageError

ZSTD = "zstd"
# Blosc turns the bits of neighbouring values together first: smaller where a camera is noisy.
BITSHUFFLE = "bitshuffle"
CODECS = (ZSTD, BITSHUFFLE)
EVERY = "*"


def parse_codecs(text: str) -> dict[str, str]:
    """Read `front=bitshuffle,*=zstd`. Raises UsageError for anything else."""
    codecs: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        camera, _, codec = (piece.strip() for piece in part.partition("="))
        if not camera or codec not in CODECS or camera in codecs:
            raise UsageError(
                f"store.codecs: wanted CAMERA=CODEC,... with each camera once and a codec of "
                f"{', '.join(CODECS)}, found {text[:80]!r}; write for example front=bitshuffle"
            )
        codecs[camera] = codec
    return codecs


def codec_of(codecs: Mapping[str, str], camera: str) -> str:
    """The codec of a camera's pictures: its own, or that of "*", or zstd."""
    return codecs.get(camera, codecs.get(EVERY, ZSTD))


def compressors(codec: str) -> list[Any]:
    """The codecs behind the bytes of a chunk."""
    from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

    packed = (
        BloscCodec(typesize=1, cname="zstd", clevel=1, shuffle="bitshuffle")
        if codec == BITSHUFFLE
        else ZstdCodec(level=1)
    )
    # The check is over the compressed bytes, so damage is met before the decompressor runs.
    return [packed, Crc32cCodec()]
