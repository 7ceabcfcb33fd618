"""What the doctor says of a machine, and what it ends with."""

from pathlib import Path

import pytest

from agent import doctor
from agent.doctor import Check, Status


def test_the_first_failure_decides_the_exit_code():
    checks = [
        Check("a", Status.OK, "", code=4),
        Check("b", Status.WARN, "", code=5),
        Check("c", Status.FAIL, "", code=3),
        Check("d", Status.FAIL, "", code=6),
    ]
    assert doctor.exit_code(checks) == 3


def test_warnings_and_absent_extras_leave_the_exit_code_0():
    checks = [Check("a", Status.WARN, ""), Check("b", Status.OFF, "")]
    assert doctor.exit_code(checks) == 0


def test_text_is_one_line_a_check_with_its_advice():
    text = doctor.as_text([Check("disk", Status.FAIL, "0.1 GB free", "make room")])
    assert text == "fail  disk        0.1 GB free; make room"


def test_a_package_out_of_its_range_fails_and_names_the_range(monkeypatch: pytest.MonkeyPatch):
    lines = ["numpy>=1", "zarr>=99", "no-such-thing>=1", "textual>=8; extra == 'tui'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda _: lines)
    check = doctor.packages()
    assert check.status is Status.FAIL
    assert "wanted >=99" in check.found
    assert "no-such-thing is absent, wanted >=1" in check.found
    assert "textual" not in check.found


def test_a_room_imported_from_elsewhere_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # a package called sim, before ours on the path: what a ROS workspace may well hold
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "sim", raising=False)
    check = doctor.rooms()
    assert check.status is Status.FAIL
    assert str(tmp_path / "sim") in check.found


def test_all_rooms_come_from_one_place_here():
    assert doctor.rooms().status is Status.OK


def test_what_each_world_can_be_shifted_by_is_listed():
    tabletop, _, libero = doctor.shifts().found.partition("; libero: ")
    assert tabletop.startswith("tabletop: rotate, gain,")
    assert tabletop.endswith(" paraphrase")
    assert {"texture", "poses", "target", "camera_roll"} <= set(libero.split(", "))


def test_little_disk_space_fails_with_the_code_of_storage(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "LEAST_FREE_GB", 1e9)
    check = doctor.disk()
    assert (check.status, check.code) == (Status.FAIL, 6)


def test_a_missing_checkpoint_fails_with_the_code_of_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("agent.__file__", str(tmp_path / "__init__.py"))
    check = doctor.checkpoint()
    assert (check.status, check.code) == (Status.FAIL, 3)


def test_a_checkpoint_is_told_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "policy" / "shipped"
    folder.mkdir(parents=True)
    (folder / "config.json").touch()
    (folder / "model.safetensors").write_bytes(b"abc")
    monkeypatch.setattr("agent.__file__", str(tmp_path / "__init__.py"))
    # the SHA-256 of "abc" is the first example of FIPS 180-2: ba7816bf 8f01cfea ...
    assert doctor.checkpoint().found == "model.safetensors sha256 ba7816bf8f01cfea"


def test_a_backend_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "PROBE_LIMIT_S", 0.2)
    monkeypatch.setattr(doctor, "_DRAW", "import time; time.sleep(60)")
    checks = doctor.drawing()
    assert [check.found for check in checks] == ["no answer in 0.2 s"] * 3
    assert (checks[0].status, checks[0].code) == (Status.FAIL, 4)


def test_where_only_another_backend_draws_the_flag_for_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
):
    draws = "import sys; print('drew' if sys.argv[1] == 'osmesa' else 'drew (0, 0, 0)')"
    monkeypatch.setattr(doctor, "_DRAW", draws)
    egl, osmesa, glfw = doctor.drawing()
    assert (egl.status, egl.advice) == (Status.WARN, "use --render osmesa")
    assert (osmesa.status, glfw.status) == (Status.OK, Status.OFF)
