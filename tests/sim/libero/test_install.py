import os
import subprocess
import sys

import pytest

from agent.errors import DataError, UsageError
from sim.libero.install import find_assets, load_libero
from sim.libero.pins import package_root


def test_a_named_folder_without_assets_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no LIBERO assets"):
        find_assets(str(tmp_path))


def test_the_variable_names_the_assets(tmp_path, monkeypatch):
    (tmp_path / "scenes").mkdir()
    monkeypatch.setenv("VLARL_LIBERO_ASSETS", str(tmp_path))
    assert find_assets("") == tmp_path.resolve()


def test_a_renderer_that_robosuite_lacks_is_an_error():
    with pytest.raises(UsageError, match="egl or osmesa"):
        load_libero("", "glfw")


def test_loading_asks_nothing_and_leaves_the_home_folder_alone(tmp_path):
    try:
        package_root()
    except UsageError as error:
        pytest.skip(str(error))
    home, cache, assets = tmp_path / "home", tmp_path / "cache", tmp_path / "assets"
    home.mkdir()
    (assets / "scenes").mkdir(parents=True)
    keep = {key: os.environ[key] for key in ("PATH",) if key in os.environ}
    code = (
        f"from sim.libero.install import load_libero; load_libero({str(assets)!r}, 'egl');"
        "import sys; sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
        ],
        env={**keep, "HOME": str(home), "XDG_CACHE_HOME": str(cache), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    assert not (home / ".libero").exists()
    assert (cache / "vlarl-agent" / "libero" / "config.yaml").is_file()
