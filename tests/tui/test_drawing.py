"""Pictures, curves and numbers as text, against what was worked out by hand."""

import numpy as np
import pytest
from rich.style import Style

from agent.tui import figures
from agent.tui.frame import fitted, half_blocks, ramp
from agent.tui.plot import Curve, Frame, chart, column_of, curve_cells, joined
from agent.tui.tracks import Track, Tracks


@pytest.mark.parametrize(
    ("image", "cells", "wanted"),
    [
        ((96, 96), (20, 10), (20, 10)),  # a square: as many columns as half-rows
        ((96, 96), (60, 10), (20, 10)),  # the height decides
        ((96, 96), (8, 30), (8, 4)),  # the width decides
        ((640, 480), (80, 60), (80, 30)),  # 4 to 3: 80 columns are 60 half-rows
    ],
)
def test_a_picture_keeps_its_proportions(image, cells, wanted):
    assert fitted(*image, *cells) == wanted


def test_a_cell_has_the_upper_pixel_in_front_and_the_lower_behind():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = (255, 0, 0)
    image[1] = (0, 0, 255)
    # two equal columns are one segment; a colour is the middle of its shade, 6 bits: 254 and 2
    (line,) = half_blocks(image, 2, 1)
    assert [
        (segment.text, segment.style.color.triplet, segment.style.bgcolor.triplet)
        for segment in line
    ] == [("▀▀", (254, 2, 2), (2, 2, 254))]


def test_without_colour_bright_pixels_become_dense_characters():
    image = np.zeros((1, 3, 3), np.uint8)
    image[0, 1], image[0, 2] = (128, 128, 128), (255, 255, 255)
    # ten characters over 256 levels: 0 -> 0, 128 -> 5, 255 -> 9
    assert ramp(image, 3, 1, Style())[0][0].text == " +@"


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right():
    cells = curve_cells(Curve(np.array([0.0, 1.0])), 2, 1, 0.0, 1.0)
    # four dot columns over four dot rows: the lowest dot first, the highest last
    assert "".join(text for text, _ in cells[0]) == "⡠⠊"


def test_a_gap_in_the_values_is_a_gap_in_the_line():
    values = np.array([1.0, 1.0, np.nan, np.nan, 1.0, 1.0])
    (line,) = curve_cells(Curve(values), 3, 1, 0.0, 1.0)
    assert [text == " " for text, _ in line] == [False, True, False]


def test_a_line_is_drawn_in_as_few_pieces_as_it_has_styles():
    cells = [(" ", "red"), ("a", "red"), ("b", "blue"), (" ", "red"), ("c", "blue"), ("d", "red")]
    # the blank between b and c looks the same in blue
    assert joined(cells) == [(" a", "red"), ("b c", "blue"), ("d", "red")]


def test_a_blank_after_a_reversed_cell_keeps_its_own_style():
    cells = [("a", "bold reverse red"), (" ", "blue")]
    assert joined(cells) == cells


def test_a_peak_between_two_columns_is_not_lost():
    values = np.zeros(1000)
    values[501] = 1.0
    cells = curve_cells(Curve(values), 10, 3, 0.0, 1.0)
    assert any(text != " " for text, _ in cells[0])


def test_a_chart_fills_its_place_and_leaves_out_marks_without_room():
    marks = [(n, f"{n:04d}") for n in range(1, 50)]
    drawn = chart(
        Curve(np.linspace(0, 1, 50)), Frame(40, 8, 0, 1, figures.percent, marks, ("first", "last"))
    )
    lines = drawn.plain.split("\n")
    assert [len(line) for line in lines] == [40] * 8
    assert lines[-1].endswith("last")
    # the head has room for labels of four and a space: one mark in five columns at most
    heads = lines[0].split()
    assert 1 < len(heads) <= 7
    assert "┊" in drawn.plain


def test_both_ends_of_an_axis_have_a_column():
    assert column_of(0, 100, 40) == 0
    assert column_of(99, 100, 40) == 39
    assert column_of(0, 1, 40) == 0


def test_tracks_share_their_height_and_letters_take_one_line():
    tracks = Tracks()
    curve = Track("value", np.zeros(3), str)
    tracks.show([curve, Track("held", np.zeros(3), str, letters="·S·"), curve], 3)
    assert tracks._heights(7) == [3, 1, 3]
    assert tracks._heights(2) == [1, 1]
    assert tracks._heights(99) == [6, 1, 6]


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (figures.number(None), "-"),
        (figures.number(float("nan")), "-"),
        (figures.number(float("inf")), "inf"),
        (figures.number(0.125, 3, sign=True), "+0.125"),
        (figures.percent(0.375), "38 %"),
        (figures.rate(9, 24, 0.21, 0.57), "9/24  38 % [21, 57]"),
        (figures.rate(0, 0, 0.0, 1.0), "0/0"),
        (figures.size(999), "999 B"),
        (figures.size(6.6e6), "6.6 MB"),
        (figures.seconds(0.0083), "8.3 ms"),
        (figures.seconds(0.33), "330 ms"),
        (figures.seconds(90), "90.0 s"),
        (figures.seconds(600), "10:00 min"),
        (figures.seconds(7200), "2:00 h"),
        (figures.cut("a long  name", 6), "a lon…"),
        (figures.bar(0.5, 5), "━━╸  "),
        (figures.moment("not a time"), "not a time"),
    ],
)
def test_a_figure_is_written_as_people_read_it(made, wanted):
    assert made == wanted
