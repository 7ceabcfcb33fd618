"""Every key of the screen of one episode."""

from agent import logbook
from agent.tui.episode_screen import EpisodeScreen
from agent.tui.frame import FrameView
from tests.tui.conftest import drive


def test_the_episode_is_walked_through_with_arrows_and_page_keys(written):
    async def story(hand):
        await hand.press("2", "enter")
        screen = hand.screen
        assert isinstance(screen, EpisodeScreen)
        for keys, index in (
            (["right", "l", "l"], 3), (["left", "h"], 1), (["pagedown"], 11), (["pageup"], 1),
            (["shift+right"], 11), (["shift+left", "left", "left"], 0), (["end"], 20),
            (["right"], 20), (["home"], 0), (["G"], 20), (["g"], 0),
        ):  # fmt: skip
            await hand.press(*keys)
            assert screen.index == index, keys
            assert f"view {index + 1}/21" in hand.text

    drive(written, story)


def test_space_plays_the_episode_to_its_end_and_stops_there(written):
    async def story(hand):
        await hand.press("2", "enter")
        screen = hand.screen
        # two seconds to the end: time enough to look
        await hand.pilot.press("space")
        assert "▶" in hand.text
        await hand.pilot.press("pagedown")
        while screen.index < 20:
            await hand.pilot.pause(0.05)
        await hand.settle()
        assert "‖ view 21/21" in hand.text
        # at the end it begins again from the start, and space stops it
        await hand.pilot.press("space")
        while screen.index in {0, 20}:
            await hand.pilot.pause(0.05)
        await hand.press("space")
        assert 0 < screen.index < 20
        assert "‖ view" in hand.text

    drive(written, story)


def test_the_pictures_are_those_of_the_view(written):
    frames = logbook.Frames(written, "000001")

    async def story(hand):
        await hand.press("2", "enter", *["right"] * 12)
        shown = hand.screen.query(FrameView).first()
        assert (shown.image == frames.frame("front", 12)).all()
        assert not (frames.frame("front", 12) == frames.frame("front", 0)).all()

    drive(written, story)


def test_a_shows_the_tables_of_a_decision_in_turn(written):
    async def story(hand):
        await hand.press("2", "enter")
        heads = []
        for _ in range(5):
            heads.append(
                next(line for line in hand.lines if "axis" in line).split("axis")[1].split()[0]
            )
            await hand.press("a")
        assert heads == ["asked", "done", "off", "ratio", "log-prob"]

    drive(written, story)


def test_z_gives_the_whole_screen_to_the_pictures_and_back(written):
    async def story(hand):
        await hand.press("2", "enter")
        before = hand.text.count("▀")
        await hand.press("z")
        assert hand.text.count("▀") > 2 * before
        await hand.press("z")
        assert hand.text.count("▀") == before

    drive(written, story)


def test_brackets_lead_to_the_neighbours_in_the_order_of_the_table(written):
    async def story(hand):
        await hand.press("2", "slash", *"adapter=0001", "enter", "home", "enter")
        assert hand.screen.episode == "000009"
        await hand.press("right_square_bracket")
        assert hand.screen.episode == "000010"
        assert hand.lines[2].strip().startswith("000010")
        await hand.press("left_square_bracket", "left_square_bracket")
        assert hand.screen.episode == "000009"

    drive(written, story)


def test_labels_typed_at_an_episode_are_kept_and_shown(run):
    async def story(hand):
        await hand.press("2", "enter", "f")
        assert logbook.labels(run)[-1].label == "failure"
        await hand.press("s")
        assert logbook.labels(run)[-1].label == "success"
        await hand.press("n", *"well done", "enter")
        assert "✎ success; well done" in hand.lines[2]

    drive(run, story, (160, 30))
