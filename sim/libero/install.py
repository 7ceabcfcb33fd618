"""Bring LIBERO into this process, with its config file and assets and no question asked."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent.errors import DataError, UsageError
from sim.libero.pins import package_root

log = logging.getLogger(__name__)

ASSETS_VARIABLE = "VLARL_LIBERO_ASSETS"
_CONFIG_VARIABLE = "LIBERO_CONFIG_PATH"


def load_libero(assets: str, render: str) -> Any:  # noqa: ANN401 - LIBERO has no types
    """Import LIBERO and give its `OffScreenRenderEnv` class.

    assets: folder of meshes and textures; empty looks in the places of `find_assets`, then lets
    hf-libero download them. render: "egl" or "osmesa", settled by the first call of a process.
    Raises UsageError for what is not installed or cannot be had, DataError for absent assets.
    """
    _choose_renderer(render)
    _write_config()
    with _quiet():
        try:
            libero: Any = importlib.import_module("libero.libero")
            found = find_assets(assets)
            # LIBERO ignores the config's own key for assets: this variable is what it reads.
            libero._assets_path_cache = str(found or _download(libero))
            return importlib.import_module("libero.libero.envs").OffScreenRenderEnv
        except ImportError as error:
            raise UsageError(f"LIBERO cannot be loaded: {error}; see docs/libero.md") from error


def find_assets(assets: str) -> Path | None:
    """Find the assets folder; None where there is none.

    It is the one named, else $VLARL_LIBERO_ASSETS, else shared/libero-assets beside the checkout.
    Raises DataError for a named folder that holds no assets.
    """
    named = assets or os.environ.get(ASSETS_VARIABLE, "")
    if named:
        if not _holds_assets(Path(named)):
            raise DataError(f"{named} holds no LIBERO assets: wanted its folder scenes/")
        return Path(named).resolve()
    checkout = Path(__file__).resolve().parents[2]
    for beside in (checkout.parent, Path.cwd().parent):
        if _holds_assets(beside / "shared" / "libero-assets"):
            return beside / "shared" / "libero-assets"
    return None


def assets_in_use() -> Path:
    """The folder that LIBERO, once loaded, takes its assets from."""
    libero: Any = importlib.import_module("libero.libero")
    return Path(libero._assets_path_cache)


@contextlib.contextmanager
def numpy_seed(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, which LIBERO draws from, and put it back afterwards."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


def _holds_assets(folder: Path) -> bool:
    return (folder / "scenes").is_dir()


def _download(libero: Any) -> str:  # noqa: ANN401
    log.info("no LIBERO assets here; hf-libero looks in its package and downloads them if need be")
    found = str(libero.get_assets_path())
    if not _holds_assets(Path(found)):
        raise DataError(
            "LIBERO's assets are not here and hf-libero could not download them: set robot.assets"
            f" or {ASSETS_VARIABLE} to a folder that holds them (docs/libero.md)"
        )
    return found


def _choose_renderer(render: str) -> None:
    # robosuite knows no other, and reads the variable once, when it is first imported.
    if render not in ("egl", "osmesa"):
        raise UsageError(f"LIBERO draws with egl or osmesa, not {render!r}; set robot.render")
    if "robosuite" in sys.modules and os.environ.get("MUJOCO_GL") != render:
        raise UsageError(f"this process draws with {os.environ.get('MUJOCO_GL')}; start a new one")
    os.environ["MUJOCO_GL"] = render


def _write_config() -> None:
    """Point LIBERO at a config of our own; without one it asks questions on stdin."""
    if os.environ.get(_CONFIG_VARIABLE) and _config_exists(Path(os.environ[_CONFIG_VARIABLE])):
        return
    root = package_root()
    folders = {
        "benchmark_root": root,
        "bddl_files": root / "bddl_files",
        "init_states": root / "init_files",
        "datasets": root.parent / "datasets",
        "assets": root / "assets",
    }
    # JSON strings are YAML strings: any path is quoted right without PyYAML.
    text = "".join(f"{key}: {_quoted(path)}\n" for key, path in folders.items())
    os.environ[_CONFIG_VARIABLE] = str(_config_folder(text))


def _config_exists(folder: Path) -> bool:
    return (folder / "config.yaml").is_file()


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _config_folder(text: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "vlarl-agent" / "libero"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / "config.yaml", text)
    except OSError as error:
        folder = Path(tempfile.mkdtemp(prefix="vlarl-libero-"))
        log.info("the cache folder cannot be written (%s); LIBERO's config is in %s", error, folder)
        _replace(folder / "config.yaml", text)
    return folder


def _replace(path: Path, text: str) -> None:
    if path.is_file() and path.read_text() == text:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep stdout for results, and robosuite's talk of private macros away."""
    logger = logging.getLogger("robosuite_logs")
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore", DeprecationWarning)  # robosuite calls logger.warn
        logger.setLevel(logging.ERROR)
        yield
