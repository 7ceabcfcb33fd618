"""What people say of episodes, kept beside a writer."""

import json
import multiprocessing

import pytest

from agent import logbook
from agent.errors import UsageError
from benchmarks.left_behind import digest


def test_the_last_outcome_stands_and_every_note_is_kept(copy):
    logbook.label(copy, "000003", "success", who="ada")
    logbook.label(copy, "000003", "note", "gripper\tslipped \x1b[31m\n", who="ada")
    logbook.label(copy, "000003", "failure", "seen twice")
    row = logbook.episodes(copy).rows[2]
    assert (row.id, row.label, row.notes) == (
        "000003",
        "failure",
        ("gripper slipped [31m", "seen twice"),
    )
    first = logbook.labels(copy)[0]
    assert (first.label, first.who, first.when[:2]) == ("success", "ada", "20")


def test_no_control_character_of_a_note_or_a_name_is_kept(copy):
    made = logbook.label(copy, "000001", "note", "a\x1b[31m b", who="\x1b]0;eve\a")
    assert (made.text, made.who) == ("a [31m b", "]0;eve")


def test_control_characters_of_a_file_written_by_hand_are_never_shown(copy):
    told = {
        "episode": "000001",
        "label": "note",
        "text": "a\x1b[2Jb",
        "who": "eve\x9b",
        "when": "-",
    }
    (copy / "labels.jsonl").write_text(json.dumps(told) + "\n")
    (made,) = logbook.labels(copy)
    assert (made.text, made.who) == ("a [2Jb", "eve")


def test_a_label_leaves_the_sealed_episode_and_all_else_as_it_was(copy):
    before = digest(copy)
    logbook.label(copy, "000001", "failure")
    (copy / "labels.jsonl").unlink()
    assert digest(copy) == before


@pytest.mark.parametrize(
    ("episode", "kind", "text"),
    [
        ("000099", "success", ""),
        ("../../x", "success", ""),
        ("000001\n", "success", ""),
        ("000001", "maybe", ""),
        ("000001", "note", " \n"),
    ],
)
def test_a_label_of_nothing_is_refused_and_leaves_no_file(copy, episode, kind, text):
    with pytest.raises(UsageError):
        logbook.label(copy, episode, kind, text)
    assert not (copy / "labels.jsonl").exists()


def test_a_line_that_a_death_left_torn_spoils_no_other(copy):
    logbook.label(copy, "000001", "success")
    with (copy / "labels.jsonl").open("a") as file:
        file.write('{"episode": "000002", "la')
    logbook.label(copy, "000003", "failure")
    seen = logbook.episodes(copy)
    assert [row.label for row in seen.rows[:3]] == ["success", "", "failure"]
    assert [str(each) for each in seen.damage] == ["labels.jsonl: line 2 is torn or altered"]


def _type(folder, who):
    for number in range(40):
        logbook.label(folder, "000001", "note", f"{number} {'x' * 500}", who)


def test_two_people_typing_at_once_lose_nothing(copy):
    context = multiprocessing.get_context("spawn")
    people = [context.Process(target=_type, args=(copy, who)) for who in ("ada", "bob")]
    for each in people:
        each.start()
    for each in people:
        each.join(60)
    found = logbook.labels(copy)
    for who in ("ada", "bob"):
        said = [each.text.split()[0] for each in found if each.who == who]
        assert said == [str(number) for number in range(40)]
    assert logbook.episodes(copy).damage == ()
