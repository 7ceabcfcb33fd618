"""Read LIBERO's stored start states, which are torch pickles, without torch and without risk."""

from __future__ import annotations

import importlib
import io
import pickle
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import DataError

Float64Array = NDArray[np.float64]

# What a pickled numpy array names, under the old and the new numpy; nothing else may be called.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"): ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"): ("numpy", "ndarray"),
    ("numpy", "dtype"): ("numpy", "dtype"),
    ("_codecs", "encode"): ("_codecs", "encode"),
}
_LONGEST = 4_000_000  # bytes; the largest of the 130 files is far below


def read_starts(packed: bytes) -> Float64Array:
    """Unpack start states, (50, 1 + nq + nv): time, positions, velocities.

    Raises DataError for anything but one finite float64 matrix.
    """
    try:
        states = _Arrays(io.BytesIO(_member(packed))).load()
    except (pickle.UnpicklingError, zipfile.BadZipFile, EOFError, ValueError, KeyError) as error:
        raise DataError(f"start states cannot be read: {error}") from error
    if not isinstance(states, np.ndarray) or states.ndim != 2 or states.dtype != np.float64:
        raise DataError(f"start states must be a float64 matrix, found {type(states).__name__}")
    if not np.isfinite(states).all():
        raise DataError("start states hold numbers that are not finite; reinstall hf-libero==0.1.4")
    return states


def _member(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        found = [item for item in archive.infolist() if item.filename.endswith("/data.pkl")]
        if len(found) != 1 or found[0].file_size > _LONGEST:
            raise DataError(f"wanted one data.pkl below {_LONGEST} bytes, found {len(found)}")
        return archive.read(found[0])


class _Arrays(pickle.Unpickler):
    """An unpickler that knows numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        try:
            module, name = _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed here") from None
        return getattr(importlib.import_module(module), name)
