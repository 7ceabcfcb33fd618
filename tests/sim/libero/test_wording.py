import re

from sim.libero.tasks import task_cards
from sim.libero.wording import WORDINGS, tells_where, tells_which, worded

SAID = sorted({card.instruction for card in task_cards()})
# What tells one thing or place from another must be said in every wording.
TELLING = r"\b(?:black|white|yellow|red|left|right|front|back|middle|top|bottom|both|plate|soup)\b"


def test_every_task_is_asked_in_five_further_ways():
    for sentence in SAID:
        ways = {worded(sentence, number) for number in range(WORDINGS + 1)}
        assert len(ways) == WORDINGS + 1, sentence
        assert worded(sentence, 0) == sentence


def test_every_wording_names_the_same_things_in_the_same_order():
    for sentence in SAID:
        told = re.findall(TELLING, sentence)
        for number in range(1, WORDINGS + 1):
            found = [
                word for word in re.findall(TELLING, worded(sentence, number)) if word != "over"
            ]
            assert found == told, worded(sentence, number)


def test_two_things_asked_for_are_both_said():
    sentence = "turn on the stove and put the moka pot on it"
    said = worded(sentence, 4)
    assert said == "please start the cooker, and please carry the moka pot and drop it on it"
    assert worded("put both moka pots on the stove", 1) == (
        "take both moka pots and set them down on the stove"
    )


def test_a_sentence_of_anybodys_is_put_into_a_frame():
    assert worded("juggle", 1) == "please juggle"


def test_a_sentence_that_tells_things_by_their_place_is_known():
    assert tells_which("put the black bowl at the back on the plate")
    assert not tells_which("put the white mug on the left plate")
    assert tells_where("put the white mug on the left plate")
    assert not tells_where("put the bowl on the stove")
