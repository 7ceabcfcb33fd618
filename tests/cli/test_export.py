"""`vlarl-agent export`: what it says and the code it ends with."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mcap")

from agent.cli import main
from agent.configuration import resolve, to_dict
from agent.store.run import create_run
from agent.store.zarr_store import ZarrStore
from tests.store.sealed import seal

COMMAND = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"


def vlarl(*arguments: object, largest_file: int | None = None):
    def limit():
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that holds two sealed episodes of twelve decisions."""
    folder = tmp_path / "run"
    resolved = resolve()
    create_run(folder, to_dict(resolved.settings), resolved.origins)
    store = ZarrStore(folder)
    store.open()
    seal(store, seed=1)
    seal(store, seed=2)
    store.close()
    return folder


def test_an_export_says_what_it_wrote_and_where(run: Path, tmp_path: Path):
    done = vlarl("export", "mcap", run, tmp_path / "out", "--only", "success", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {
        "out": str(tmp_path / "out"), "format": "mcap", "episodes": 1, "files": 1, "damaged": [],
    }  # fmt: skip
    assert (tmp_path / "out" / "000002.mcap").is_file()


def test_a_disk_that_takes_no_more_ends_with_6_and_one_line(run: Path, tmp_path: Path):
    done = vlarl("export", "mcap", run, tmp_path / "out", "--fps", "10", largest_file=5000)
    assert done.returncode == 6
    assert done.stderr.splitlines()[-1].startswith("error: writing ")
    assert not list((tmp_path / "out").glob("*.mcap"))


def test_what_cannot_be_asked_for_ends_with_2_and_one_line(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "out"
    for arguments in (
        ("csv", run, out),
        ("mcap", tmp_path / "none", out),
        ("mcap", run, out, "--adapter", "0001"),
        ("mcap", run, out, "--caption"),
        ("mcap", run, out, "--episodes", "../1"),
        ("mcap", run, out, "--fps", "-1"),
        ("peft", run, out),
        ("peft", run, out, "--only", "success"),
    ):
        monkeypatch.setattr(sys, "argv", ["vlarl-agent", "export", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert (ended.value.code, told.out) == (2, ""), arguments
        assert told.err.startswith("error: "), arguments
        assert told.err.count("\n") == 1, arguments
    assert not out.exists()
