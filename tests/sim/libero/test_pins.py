import hashlib

import pytest

from agent.errors import DataError, UsageError
from sim.libero import pins
from sim.libero.pins import Pin, accept, read_pins


def test_every_task_of_the_five_suites_is_pinned_once():
    # four suites of 10 and one of 90
    named = {(pin.suite, pin.name) for pin in read_pins()}
    assert len(read_pins()) == len(named) == 130


def test_an_instruction_leaves_the_scene_out():
    by_name = {pin.name: pin.instruction for pin in read_pins() if pin.suite == "libero_10"}
    name = "KITCHEN_SCENE3_turn_on_the_stove_and_put_the_moka_pot_on_it"
    assert by_name[name] == "turn on the stove and put the moka pot on it"


def test_a_file_with_one_byte_changed_is_refused(tmp_path):
    path = tmp_path / "task.bddl"
    path.write_bytes(b"(:yaw_rotation ((0 1)))")
    known = hashlib.sha256(path.read_bytes()).hexdigest()
    assert accept(path, known) == b"(:yaw_rotation ((0 1)))"
    path.write_bytes(b"(:yaw_rotation ((0 2)))")
    with pytest.raises(DataError, match=r"task.bddl is not the pinned file"):
        accept(path, known)


def test_an_altered_task_file_never_reaches_the_parser(tmp_path, monkeypatch):
    folder = tmp_path / "bddl_files" / "libero_object"
    folder.mkdir(parents=True)
    pin = next(pin for pin in read_pins() if pin.suite == "libero_object")
    (folder / f"{pin.name}.bddl").write_text("(:yaw_rotation ((print(1) 1)))")
    monkeypatch.setattr(pins, "package_root", lambda: tmp_path)
    with pytest.raises(DataError, match="pinned"):
        pin.bddl()


def test_the_installed_files_are_the_pinned_ones():
    try:
        pins.package_root()
    except UsageError as error:
        pytest.skip(str(error))
    for pin in read_pins():
        assert isinstance(pin, Pin)
        assert pin.bddl().suffix == ".bddl"
        assert len(pin.starts()) > 10_000
