import io
import pickle
import zipfile

import numpy as np
import pytest

from agent.errors import DataError, UsageError
from sim.libero.pins import package_root, read_pins
from sim.libero.starts import read_starts


class _Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def _torch_zip(thing) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(thing, protocol=2))
    return packed.getvalue()


def test_a_pickled_matrix_is_read_exactly():
    states = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(read_starts(_torch_zip(states)), states)


def test_a_pickle_that_calls_something_else_is_refused_before_the_call(tmp_path):
    mark = tmp_path / "was-here"
    with pytest.raises(DataError, match="not allowed"):
        read_starts(_torch_zip(_Call(mark.touch)))
    with pytest.raises(DataError, match="not allowed"):
        read_starts(_torch_zip(_Call(open, str(mark), "w")))
    assert not mark.exists()


@pytest.mark.parametrize(
    "thing",
    [[1.0], np.zeros(3), np.zeros((2, 2), dtype=np.int64), np.array([[np.nan]])],
    ids=["list", "vector", "integers", "nan"],
)
def test_anything_but_a_finite_matrix_is_refused(thing):
    with pytest.raises(DataError):
        read_starts(_torch_zip(thing))


def test_a_file_that_is_no_zip_is_refused():
    with pytest.raises(DataError, match="cannot be read"):
        read_starts(b"not a zip")


def test_every_task_has_fifty_start_states():
    try:
        package_root()
    except UsageError as error:
        pytest.skip(str(error))
    for pin in read_pins():
        assert read_starts(pin.starts()).shape[0] == 50
