"""`vlarl-agent tui` where it cannot be shown."""

import os
import pty
import subprocess
import sys

TOLD = """
import sys
sys.argv = ["vlarl-agent", "tui", {run!r}]
{before}
from agent.cli import main
main()
"""


def run(folder, before=""):
    code = TOLD.format(run=str(folder), before=before)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_without_textual_one_line_says_what_to_install(tmp_path):
    done = run(tmp_path, "sys.modules['textual'] = None")
    assert done.returncode == 2
    assert "pip install 'vlarl-agent[tui]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_is_none_is_refused(tmp_path):
    done = run(tmp_path / "none")
    assert done.returncode == 2
    assert "is no folder; want a run or a folder of runs" in done.stderr


def test_without_a_terminal_the_text_of_the_log_is_recommended(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 2
    assert "`vlarl-agent log` prints the same as text" in done.stderr


def test_with_its_screen_sent_to_a_file_it_is_refused(tmp_path):
    # Textual draws on stderr: `vlarl-agent tui 2> file` would show nothing and wait for keys
    near, far = pty.openpty()
    code = TOLD.format(run=str(tmp_path), before="")
    with (tmp_path / "told").open("w") as told:
        done = subprocess.run(
            [sys.executable, "-c", code], check=False, stdin=far, stdout=far, stderr=told,
            timeout=60,
        )  # fmt: skip
    os.close(near)
    os.close(far)
    assert done.returncode == 2
    assert "wants a terminal" in (tmp_path / "told").read_text()
