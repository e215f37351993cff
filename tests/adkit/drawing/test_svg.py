"""What all pictures are made of: text is escaped, axes are logarithmic, and the look is set in one module."""

import re
from pathlib import Path
from xml.etree import ElementTree

import adkit.drawing
import pytest
from adkit.drawing import svg
from hypothesis import given
from hypothesis import strategies as st

PACKAGE = Path(adkit.drawing.__file__).parent
ASSIGNMENTS = Path(__file__).parents[3] / "assignments"
PRINTABLE = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn", "Cc"]))


@given(words=PRINTABLE, value=PRINTABLE)
def test_whatever_is_written_arrives_as_text(words: str, value: str) -> None:
    parsed = ElementTree.fromstring(svg.element("g", svg.text(1, 2, words), font_family=value))
    assert parsed.get("font-family") == value
    assert (parsed[0].text or "") == words
    assert len(parsed[0]) == 0


def test_a_drawing_is_as_large_as_it_says_and_is_described_to_who_cannot_see_it() -> None:
    root = ElementTree.fromstring(svg.document(100.4, 50.6, '"a" & <b>', svg.text(0, 0, "x")).svg)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("100", "51", "0 0 100 51")
    assert (root.get("role"), root.get("aria-label")) == ("img", '"a" & <b>')


def test_an_attribute_that_is_none_is_left_out_and_a_number_has_at_most_one_decimal() -> None:
    assert svg.element("rect", x=2.04, y=3.25, rx=None, class_="a") == "<rect x='2' y='3.2' class='a'/>"


def test_logarithmic_axes_begin_and_end_in_their_corners_and_halve_at_the_geometric_mean() -> None:
    axes = svg.LogAxes(10, 20, 110, 220, x=(1, 100), y=(1e-8, 1))
    assert axes.place(1, 1e-8) == pytest.approx((10, 220))
    assert axes.place(100, 1) == pytest.approx((110, 20))
    assert axes.place(10, 1e-4) == pytest.approx((60, 120))


def test_a_grid_has_a_line_and_a_label_at_each_tick() -> None:
    grid = svg.LogAxes(0, 0, 100, 100, x=(1, 100), y=(1, 10)).grid({1: "one", 10: "ten"}, {10: "<10>"})
    root = ElementTree.fromstring(grid)
    assert [text.text for text in root.findall("text")] == ["one", "ten", "<10>"]
    assert [path.get("d") for path in root.findall("path")] == ["M0,0V100M50,0V100", "M0,0H100"]


def test_an_arrow_ends_at_its_tip() -> None:
    root = ElementTree.fromstring(f"<g>{svg.arrow(0, 0, 30, 40)}</g>")
    corners = [tuple(map(float, corner.split(","))) for corner in root[1].attrib["points"].split()]
    assert corners[0] == (30, 40)
    assert root[0].get("d") == "M0,0L24.6,32.8"


@pytest.mark.parametrize(
    "file",
    [path for path in PACKAGE.glob("*.py") if path.name != "svg.py"] + sorted(ASSIGNMENTS.glob("*/draw_figures.py")),
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_colours_fonts_and_elements_are_written_in_one_module(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"#[0-9a-f]{6}\b", source)
    assert not re.search(r"<(svg|path|rect|circle|text|g)\b", source)
    assert "Helvetica" not in source
