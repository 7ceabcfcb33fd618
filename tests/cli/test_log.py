"""The log from the command line: as text of 80 columns, as JSON, as one page."""

import base64
import io
import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from agent import logbook
from agent.cli.app import app
from agent.errors import DataError
from agent.logbook.asking import ask
from tests.tui.conftest import drive
from tests.whole_run import Run, told

COMMAND = "import sys; from agent.cli import main; sys.argv[0] = 'vlarl-agent'; main()"
ONE = ("runs", "run", "episodes", "adapters", "reward", "events")


@pytest.fixture(scope="module")
def run(point_checkpoint, tmp_path_factory):
    """A run of ten episodes and one update, with a label."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    with Run(told(point_checkpoint, episodes=10, held_out=2), folder) as made:
        made.deploy()
    logbook.label(folder, "000002", "note", "a rather long note " * 20)
    return folder


def vlarl(*arguments):
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stdout


@pytest.mark.parametrize("what", [*ONE, "episode"])
def test_text_fits_80_columns_and_json_holds_the_view(run, what):
    more = ["000001"] if what == "episode" else []
    text = vlarl("log", what, run, *more)
    assert text.strip()
    assert [line for line in text.splitlines() if len(line) > 80] == []
    values = json.loads(vlarl("log", what, run, *more, "--json"))
    view = getattr(logbook, what)(run, *more)
    assert set(values) == set(view.__slots__)


def test_the_text_of_a_run_says_what_it_came_to(run):
    text, view = vlarl("log", "run", run), logbook.run(run)
    assert f"{view.whole.won}/10" in text
    assert "1 of 10" not in text
    for row in view.updates:
        assert row.why.split()[0] in text
    assert "a rather long note" in vlarl("log", "episodes", run)
    assert text.count("damaged") == 0
    with (run / "labels.jsonl").open("a") as labels:
        labels.write("{torn\n")
    text = vlarl("log", "episodes", run)
    assert "damaged: labels.jsonl: line 2 is torn or altered" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_two_adapters_are_told_side_by_side(run):
    text = vlarl("log", "adapters", run, "--compare", "base,0001")
    assert "norm of the difference" in text
    values = json.loads(vlarl("log", "adapters", run, "--compare", "base,0001", "--json"))
    assert values["second"]["name"] == "0001"


def test_a_label_is_typed_and_shown(run):
    said = json.loads(
        vlarl("episodes", "label", run, "000003", "failure", "it", "slipped", "--json")
    )
    assert (said["episode"], said["label"], said["text"]) == ("000003", "failure", "it slipped")
    assert logbook.episodes(run).rows[2].label == "failure"


def test_explaining_with_the_adapter_that_acted_gives_ratios_of_one(run):
    values = json.loads(vlarl("episodes", "explain", run, "000001", "--adapter", "base", "--json"))
    assert (values["acted"], values["adapter"]) == ("base", "base")
    ratio = np.array(values["ratio"])
    assert ratio.shape == logbook.episode(run, "000001").seen.tracks.tokens.shape
    assert np.abs(ratio - 1).max() < 1e-4
    assert "base against base" in vlarl("episodes", "explain", run, "000001", "--adapter", "base")


def test_explaining_with_the_candidate_gives_what_the_update_left(run):
    told_by_update = logbook.episode(run, "000001").explained
    asked = ask(run, "000001", "0001")
    carried = ~np.isnan(told_by_update.after)
    assert np.abs(asked.ratio - told_by_update.ratio)[carried].max() < 1e-3


def test_w_weighs_an_episode_by_the_adapter_that_acts_now(run):
    acting = logbook.run(run).adapter

    async def story(hand):
        await hand.press("2", "home", "enter", "w")
        assert (hand.screen.episode, hand.screen.view[1].asked.acted) == ("000001", "base")
        assert f" by {acting}" in next(line for line in hand.lines if "axis" in line)
        # the table shows the ratios of the view one stands at
        first = hand.screen.view[1].asked.ratio[0, 0]
        assert f" {first:.2f} " in next(line for line in hand.lines if " x  " in line)

    drive(run, story)


def test_whoever_leaves_is_not_waited_for(run):
    began = time.monotonic()
    with pytest.raises(DataError, match="nobody waits"):
        ask(run, "000001", given_up=lambda: True)
    # the question takes seconds, giving up a look
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("log", "run", "nowhere"),
        ("log", "episode", "RUN", "000099"),
        ("log", "adapters", "RUN", "--compare", "base"),
        ("episodes", "label", "RUN", "000001", "maybe"),
        ("episodes", "explain", "RUN", "000001", "--adapter", "0099"),
    ],
)
def test_what_is_not_there_is_one_line_and_ends_with_2(run, arguments):
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *(str(run) if a == "RUN" else a for a in arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


class Page(HTMLParser):
    """Collects what a page would load, and checks that its elements are closed."""

    def __init__(self):
        super().__init__()
        self.loads, self.open = [], []

    def handle_starttag(self, tag, attributes):
        self.loads += [value for name, value in attributes if name in {"src", "href"}]
        if tag not in {"img", "meta", "!doctype"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_report_is_one_page_with_its_plots_and_clips_in_it(run, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "page.html"
    assert vlarl("report", run, "--out", out, "--png", tmp_path / "png").strip() == str(out)
    page = Page()
    page.feed(out.read_text())
    assert page.open == []
    # nothing is fetched: every picture is in the page
    assert page.loads
    assert all(each.startswith("data:image/") for each in page.loads)
    clips = [each for each in page.loads if each.startswith("data:image/webp")]
    assert clips
    for each in clips:
        with Image.open(io.BytesIO(base64.b64decode(each.split(",")[1]))) as clip:
            assert clip.size == (2 * 168 + 4, 168)  # two square cameras and the gap between
    names = {path.name for path in (tmp_path / "png").iterdir()}
    assert {"success.png", "adapters.png", "updates.png", "held-out.png"} <= names
    for name in names:
        with Image.open(tmp_path / "png" / name) as plot:
            assert min(plot.size) > 300
    assert "label" in re.sub(r"<[^>]*>", " ", out.read_text())


def test_a_report_escapes_what_it_is_told_and_names_what_is_damaged(run, tmp_path):
    pytest.importorskip("matplotlib")
    report = json.loads((run / "updates" / "0001.json").read_text())
    kept = json.dumps(report)
    report["why"] = "<script>alert(1)</script>"
    (run / "updates" / "0001.json").write_text(json.dumps(report))
    (run / "evaluations" / "before-other.json").write_text("{torn")
    try:
        vlarl("report", run, "--out", tmp_path / "page.html")
    finally:
        (run / "updates" / "0001.json").write_text(kept)
        (run / "evaluations" / "before-other.json").unlink()
    text = (tmp_path / "page.html").read_text()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "evaluations/before-other.json" in text
