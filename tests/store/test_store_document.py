"""docs/store.md says what is there, and its examples work."""

import re
from pathlib import Path

import pytest
import zarr

from agent.store.arrays import DIMENSIONS
from agent.store.hdf5_demos import LARGEST_BYTES, MOST_RATIO
from agent.store.schema import SCHEMA_VERSION
from agent.store.zarr_store import FREE_BYTES
from tests.store.sealed import data, seal

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
ROWS = re.findall(r"^\| `([\w/<>]+)` \| \(([^)]*)\) \| (\w+) \|", PAGE, flags=re.M)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_an_example_works(run, store, number, capsys):
    seal(store, seed=2)
    exec(compile(SNIPPETS[number], f"docs/store.md {number}", "exec"), {"run": run})
    # seed 2: 12 decisions of two actions, 13 views, a success, a front camera of 48 x 32
    wanted = {
        0: "(10, 48, 32, 3) put-2 ",
        1: "(2, 3) (13, 48, 32, 3)",
        2: "1 12 success",
    }
    assert capsys.readouterr().out.startswith(wanted[number])


def test_every_array_of_an_episode_is_in_the_table_with_its_shape_and_type(run, store):
    seal(store, seed=2)
    group = zarr.open_group(data(run), mode="r")
    sides = {
        "n + 1": 13,
        "n": 12,
        "K": 2,
        "d": 14,
        "p": 9,
        "m": 5,
        "7": 7,
        "h": 48,
        "w": 32,
        "3": 3,
    }
    assert {name for name, _, _ in ROWS} == {*DIMENSIONS, "images/<camera>"}
    for name, shape, kind in ROWS:
        array = group[name.replace("<camera>", "front")]
        wanted = tuple(sides[side.strip()] for side in shape.split(",") if side.strip())
        assert (array.shape, str(array.dtype)) == (wanted, kind), name


def test_the_numbers_of_the_page_are_those_of_the_code():
    assert f"`schema_version` {SCHEMA_VERSION}," in PAGE
    assert f"under {FREE_BYTES >> 20} MiB free" in PAGE
    assert f"more than {LARGEST_BYTES >> 30} GiB, more than {MOST_RATIO} bytes" in PAGE
