"""Every key of every screen."""

import pytest

from agent import logbook
from agent.tui.app import SCREENS
from agent.tui.episode_screen import EpisodeScreen
from agent.tui.panel import Panel
from agent.tui.table import Table
from tests.tui.conftest import drive


def test_digits_lead_to_the_screens_and_escape_back(written):
    async def story(hand):
        assert hand.where == "RunScreen"
        for number, screen in enumerate(SCREENS.values()):
            await hand.press(str(number))
            assert hand.where == screen.__name__
        await hand.press("escape")
        assert hand.where == "RunScreen"
        await hand.press("backspace")
        assert hand.where == "RunsScreen"
        await hand.press("escape")
        assert hand.where == "RunsScreen"
        await hand.press("enter")
        assert hand.where == "RunScreen"
        assert "table-1" in hand.lines[0]

    drive(written, story)


def test_a_folder_of_runs_opens_with_the_list_and_wants_a_choice_first(written):
    async def story(hand):
        assert hand.where == "RunsScreen"
        await hand.press("2")
        assert hand.where == "RunsScreen"
        assert hand.notices == ["choose a run first"]
        await hand.press("enter", "2")
        assert hand.where == "EpisodesScreen"

    drive(written.parent, story)


def test_question_mark_lists_the_keys_and_a_second_one_closes_the_list(written):
    async def story(hand):
        await hand.press("question_mark")
        assert "this list of keys" in hand.text
        # a screen may not be left under its own list of keys
        await hand.press("2")
        assert hand.where == "HelpScreen"
        await hand.press("question_mark")
        assert hand.where == "RunScreen"

    drive(written, story)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
def test_the_app_can_be_left(written, key):
    async def story(hand):
        await hand.pilot.press(key)
        assert hand.app._exit

    drive(written, story)


def test_the_command_palette_finds_every_screen(written):
    async def story(hand):
        found = {each.title for each in hand.app.get_system_commands(hand.screen)}
        assert {f"go to {name}" for name in SCREENS} <= found
        await hand.pilot.press("ctrl+p")
        await hand.pilot.pause()
        assert hand.where == "CommandPalette"

    drive(written, story)


def test_a_table_is_walked_through_with_arrows_letters_and_page_keys(written):
    async def story(hand):
        await hand.press("2")
        table = hand.screen.query_one(Table)
        for keys, cursor in (
            (["down", "j", "j"], 3), (["up", "k"], 1), (["end"], 23), (["home"], 0), (["G"], 23),
            (["g"], 0), (["pagedown"], 18), (["pageup"], 0), (["up"], 0), (["end", "down"], 23),
        ):  # fmt: skip
            await hand.press(*keys)
            assert table.cursor == cursor, keys
        assert hand.lines[-3].startswith("▸ ")

    drive(written, story)


def test_o_sorts_by_each_column_in_turn_and_shift_o_turns_it_round(written):
    async def story(hand):
        await hand.press("2", "o")
        table = hand.screen.query_one(Table)
        assert "id▲" in hand.lines[2].replace(" ", "")
        assert table.rows[0].id == "000001"
        await hand.press("O")
        assert table.rows[0].id == "000024"
        able = [n for n, column in enumerate(table.columns) if column.sort is not None]
        seen = [table.sorted_by]
        for _ in able[1:]:
            await hand.press("o")
            seen.append(table.sorted_by)
        assert seen == able
        await hand.press("o")
        assert table.sorted_by is None
        assert table.rows[0].id == "000001"

    drive(written, story, (200, 60))


def test_slash_filters_as_one_types_and_escape_takes_the_filter_away(written):
    async def story(hand):
        await hand.press("2", "slash", *"failure")
        table = hand.screen.query_one(Table)
        count = len(table.rows)
        verdicts = {row.summary.verdict for row in table.rows if not row.label}
        assert verdicts == {"failure"}
        assert f"{count} of 24 episodes" in hand.text
        # a word is not a key while one types: "s" and "f" above labelled nothing
        assert len(logbook.labels(written)) == 3
        await hand.press("space", *"adapter=0001", "enter")
        assert {row.summary.adapter for row in table.rows} == {"0001"}
        assert table.has_focus
        await hand.press("escape")
        assert len(table.rows) == 24
        await hand.press("slash", *"zzz")
        assert "no episode passes the filter" in hand.text

    drive(written, story)


def test_labels_typed_in_the_table_are_kept_and_shown(run):
    async def story(hand):
        await hand.press("2", "down", "down", "down", "s")
        assert logbook.labels(run)[-1].episode == "000004"
        assert logbook.labels(run)[-1].label == "success"
        line = next(line for line in hand.lines if " 000004 " in line)
        assert "✎ success" in line
        await hand.press("f")
        assert logbook.labels(run)[-1].label == "failure"
        await hand.press("n", *"lost grip", "enter")
        assert logbook.labels(run)[-1].text == "lost grip"
        assert "✎ failure+" in next(line for line in hand.lines if " 000004 " in line)
        await hand.press("n", *"no", "escape")
        assert logbook.labels(run)[-1].text == "lost grip"

    drive(run, story)


def test_m_marks_an_adapter_and_c_compares_with_it(written):
    async def story(hand):
        await hand.press("3", "c")
        assert "0002 against 0003" in hand.text
        await hand.press("home", "down", "m", "end", "c")
        assert "0001 ◆" in hand.text
        assert "0001 against 0003" in hand.text
        assert "apart by" in hand.text
        await hand.press("up")
        assert hand.screen.query_one("#about", Panel).title == "adapter 0002"
        await hand.press("home", "down", "m", "home", "c")
        assert "mark another adapter" in hand.notices[-1]

    drive(written, story)


def test_enter_on_an_event_opens_what_it_is_about(written):
    async def story(hand):
        await hand.press("5", "enter")
        assert isinstance(hand.screen, EpisodeScreen)
        assert hand.screen.episode == "000005"
        await hand.press("escape")
        while hand.screen.query_one(Table).row.kind != "update":
            await hand.press("up")
        await hand.press("enter")
        assert hand.where == "AdaptersScreen"

    drive(written, story)


def test_the_mouse_opens_tabs_rows_and_decisions(written):
    async def story(hand):
        await hand.pilot.click("Header", offset=(20, 1))
        await hand.settle()
        assert hand.where == "EpisodesScreen"
        await hand.pilot.click(Table, offset=(10, 5), times=2)
        await hand.settle()
        assert hand.screen.episode == "000005"
        await hand.pilot.click("Tracks", offset=(62, 1))
        await hand.settle()
        assert hand.screen.index == 19

    drive(written, story)


def test_the_screen_follows_the_size_of_the_terminal(written):
    async def story(hand):
        await hand.press("2", "enter")
        for size in ((200, 60), (40, 12), (20, 6), (120, 40)):
            await hand.pilot.resize_terminal(*size)
            await hand.settle()
            assert max(len(line) for line in hand.lines) == size[0]
        for key in "1345":
            await hand.press(key)
            await hand.pilot.resize_terminal(20, 6)
            await hand.pilot.resize_terminal(80, 24)
            assert max(len(line) for line in hand.lines) == 80

    drive(written, story)
