"""Curves over logarithmic axes: powers are straight, everything is labelled, and what has no logarithm is refused."""

import re
from xml.etree import ElementTree

import pytest
from adkit import log_plot
from adkit.drawing import svg
from hypothesis import given
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [(4.0, 1.0), (16.0, 1e2), (64.0, 1e4)]
CURVES = {"jacfwd": POINTS, "jacrev": [(x, 1e4 / y) for x, y in POINTS]}


def curve_of(picture: str, colour: str) -> list[tuple[float, float]]:
    (path,) = [
        path.get("d", "") for path in ElementTree.fromstring(picture).iter(f"{SVG}path") if path.get("stroke") == colour
    ]
    numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", path)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def texts(picture: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_a_power_is_a_straight_line_and_the_curves_cross_where_they_should() -> None:
    picture = log_plot("cost", "inputs n", CURVES).svg
    (x1, y1), (x2, y2), (x3, y3) = curve_of(picture, svg.BLUE)
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)
    assert curve_of(picture, svg.ORANGE)[1] == pytest.approx((x2, y2), abs=0.2)


def test_axes_and_curves_are_labelled() -> None:
    words = texts(log_plot("cost", "inputs n", CURVES).svg)
    assert {"cost", "inputs n", "4", "16", "64", "1", "101", "104", "jacfwd", "jacrev"} <= set(words)


def test_the_picture_is_described_and_escapes_what_it_is_given() -> None:
    picture = log_plot("a < b & c", "n", {"<script>": POINTS}).svg
    assert ElementTree.fromstring(picture).get("aria-label") == "a < b & c, over n"
    assert "<script>" not in picture


@given(st.lists(st.tuples(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12)), min_size=1, max_size=40))
def test_every_point_is_inside_of_the_axes(points: list[tuple[float, float]]) -> None:
    picture = log_plot("cost", "n", {"one": points}).svg
    for x, y in curve_of(picture, svg.BLUE):
        assert 75.9 <= x <= 520.1
        assert 43.9 <= y <= 300.1
    assert len(texts(picture)) <= 3 + 8 + 16


@pytest.mark.parametrize("curve", [[], [(0.0, 1.0)], [(1.0, -1.0)], [(1.0, float("nan"))], [(float("inf"), 1.0)]])
def test_what_has_no_logarithm_is_refused(curve: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="positive numbers only"):
        log_plot("cost", "n", {"one": curve})


def test_there_is_a_colour_for_each_curve_or_none_is_drawn() -> None:
    with pytest.raises(ValueError, match="6 curves, got 7"):
        log_plot("cost", "n", {str(k): POINTS for k in range(7)})
