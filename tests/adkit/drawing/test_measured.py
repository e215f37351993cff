"""Measurements beside the rules: what is drawn is where the numbers say, and errors name what is wrong."""

import re
from xml.etree import ElementTree

import pytest
from adkit import compare, memory_plot, simulate, space_time
from adkit.drawing.memory_plot import _round_ticks, _segments
from adkit.drawing.space_time import _story
from adkit.drawing.svg import BLUE, INK, ORANGE, PURPLE, Drawing, Panels
from hypothesis import given
from hypothesis import strategies as st

from reference.checkpointing import checkpointed_schedule, memory_poor_schedule, optimal_schedule, vanilla_schedule

SVG = "{http://www.w3.org/2000/svg}"
TEN = checkpointed_schedule(10, [3, 6, 9])
MEMORY = simulate(10, TEN).memory
ROWS = [([8, 16, 24], 3.0, 10.0, 1.0), ([4, 8, 12, 16, 20, 24], 6.0, 8.0, 1.5), (0, 1.0, 32.0, 0.5)]


def drawings() -> dict[str, Drawing]:
    return {
        "measured": space_time(TEN, 10, measured=[8.0 * m for m in MEMORY], unit=8),
        "compared": compare(10, {"mine": TEN, "poor": memory_poor_schedule(10)}),
        "memory": memory_plot(24, ROWS, {"plain": (20.0, 30.0, 0.4)}, unit=1),
    }


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", drawings())
def test_a_picture_is_one_file_without_scripts_and_is_described(name: str) -> None:
    svg = drawings()[name].svg
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "desc", "rect", "circle", "path", "text", "tspan", "g",
    }  # fmt: skip
    assert root.get("aria-label")
    assert root.findtext(f"{SVG}desc")
    assert not re.search(r"\bon\w+=|url\(|@import", svg)


@pytest.mark.parametrize("picture", [drawings()["compared"], drawings()["memory"]])
def test_a_notebook_shows_every_panel_as_a_picture_of_its_own(picture: Drawing) -> None:
    assert isinstance(picture, Panels)
    html = picture._repr_html_()
    roots = ElementTree.fromstring(html).findall(f"div/{SVG}svg")
    assert len(roots) == 2
    assert all(root.get("aria-label") and root.findtext(f"{SVG}desc") for root in roots)


# --- space_time with measurements -------------------------------------------------------------------------------------


def test_a_measurement_that_is_what_the_rules_say_lies_on_their_curve() -> None:
    # Equal to the rules while an action runs: a backward node is drawn with the memory before it.
    story = _story(simulate(10, TEN))
    times = [k for k, (name, _) in enumerate(TEN) if name in ("forward", "backward")]
    measured = [0.0] * len(TEN)
    for k, used in zip(times, story.memory, strict=True):
        measured[k] = 16.0 * used
    root = ElementTree.fromstring(space_time(TEN, 10, measured=measured, unit=16).svg)
    paths = [path.attrib for path in root.iter(f"{SVG}path")]
    (rules,) = [
        path["d"] for path in paths if path.get("fill") == BLUE and path.get("fill-opacity") and "H" in path["d"]
    ]
    (line,) = [path["d"] for path in paths if path.get("stroke") == PURPLE and path["d"].startswith("M52")]
    assert rules.startswith(line)


def test_a_larger_unit_makes_the_measured_peak_smaller() -> None:
    measured = [32.0 * m for m in MEMORY]
    assert "measured, in activations (peak 4.0)" in texts(space_time(TEN, 10, measured=measured, unit=32).svg)
    assert "measured, in activations (peak 2.0)" in texts(space_time(TEN, 10, measured=measured, unit=64).svg)


def test_a_picture_without_measurements_says_why() -> None:
    assert any("adkit.watch" in text for text in texts(space_time(TEN, 10, measured=[]).svg))
    assert not any("measured" in text for text in texts(space_time(TEN, 10).svg))


def test_a_run_that_broke_off_is_drawn_as_far_as_it_came() -> None:
    assert _story(simulate(10, TEN), [1.0] * 3).measured == [1.0] * 3
    assert "measured, in activations (peak 1.0)" in texts(space_time(TEN, 10, measured=[1, 1, 1]).svg)


def test_measurements_of_another_schedule_and_units_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="another schedule"):
        space_time(TEN, 10, measured=[1.0] * (len(TEN) + 1))
    for unit in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="unit"):
            space_time(TEN, 10, measured=[], unit=unit)


# --- compare ----------------------------------------------------------------------------------------------------------


def test_schedules_are_compared_on_one_scale_of_time_and_memory() -> None:
    schedules = {"vanilla": vanilla_schedule(9), "poor": memory_poor_schedule(9), "optimal": optimal_schedule(9, 3)}
    picture = compare(9, schedules)
    sizes: set[str | None] = set()
    for panel, schedule in zip(picture.panels, schedules.values(), strict=True):
        trace = simulate(9, schedule)
        root = ElementTree.fromstring(panel.svg)
        sizes.add(root.get("viewBox"))
        frame = next(p.attrib["d"] for p in root.iter(f"{SVG}path") if p.get("stroke-opacity") == "0.5")
        right = float(re.findall(r"H([\d.]+)", frame)[0])
        assert (right - 52) / (trace.evaluations + 9) == pytest.approx(348 / 54, abs=0.01)  # the longest: 45 + 9
        dashed = next(p.attrib["d"] for p in root.iter(f"{SVG}path") if p.get("stroke") == ORANGE)
        height = float(root.attrib["height"]) - 32 - float(re.findall(r",([\d.]+)", dashed)[0])
        assert height == pytest.approx(10 * trace.peak, abs=1)  # the highest, 9, takes 90 pixels
    assert len(sizes) == 1


def test_at_least_one_and_at_most_eight_schedules_are_compared() -> None:
    for number in (0, 9):
        with pytest.raises(ValueError, match="1 to 8 schedules"):
            compare(10, {str(k): TEN for k in range(number)})


# --- memory_plot ------------------------------------------------------------------------------------------------------


def test_measurements_that_are_what_the_theory_says_lie_on_its_lines() -> None:
    unit, constant = 2.0**20, 3
    rows = [(k, k * unit, (k + 2 * -(-24 // (k + 1)) + constant) * unit, 1.0) for k in (1, 3, 5, 11)]
    root = ElementTree.fromstring(memory_plot(24, rows, unit=unit, constant=constant).panels[0].svg)
    for colour in (BLUE, ORANGE):
        (line,) = [
            p.attrib["d"] for p in root.iter(f"{SVG}path") if p.get("stroke") == colour and p.get("stroke-width") == "2"
        ]
        dots = {f"{c.get('cx')},{c.get('cy')}" for c in root.findall(f"{SVG}circle") if c.get("fill") == colour}
        assert set(line.removeprefix("M").split("L")) == dots


def test_each_point_of_the_second_panel_has_its_name() -> None:
    panel = memory_plot(24, ROWS, {"plain": (20.0, 30.0, 0.4)}, unit=1).panels[1].svg
    root = ElementTree.fromstring(panel)
    assert {text.text for text in root.iter(f"{SVG}text") if text.get("font-weight") == "600"} >= {
        "0",
        "3",
        "6",
        "plain",
    }
    assert len([c for c in root.findall(f"{SVG}circle") if c.get("fill") == INK]) == 1


@given(st.integers(1, 40), st.data())
def test_the_longest_segment_lies_between_neighbours_or_at_the_ends(n: int, data: st.DataObject) -> None:
    indices = sorted(data.draw(st.sets(st.integers(1, n))))
    # a layer starts a new segment where its input is kept
    lengths, length = [0], 0
    for layer in range(1, n + 1):
        length += 1
        if layer in indices:
            lengths.append(length)
            length = 0
    assert _segments(n, indices) == (len(indices), max(*lengths, length))


@given(st.floats(1e-6, 1e12))
def test_ticks_are_few_and_reach_the_largest_value(most: float) -> None:
    ticks = _round_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most * (1 - 1e-9)
    assert 3 <= len(ticks) <= 7


@pytest.mark.parametrize(
    ("rows", "unit", "message"),
    [
        ([], 1, "at least one"),
        ([(3, 1, 2, -1.0)], 1, "positive"),
        ([(3, 1, 2, 1.0)], 0, "unit"),
        ([([25], 1, 2, 1.0)], 1, r"1\.\.24"),
        ([(25, 1, 2, 1.0)], 1, "0 to 24"),
    ],
)
def test_what_cannot_be_plotted_is_refused(
    rows: list[tuple[int, float, float, float]], unit: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        memory_plot(24, rows, unit=unit)


def test_names_are_text() -> None:
    for picture in (compare(10, {"<b>&": TEN}), memory_plot(24, ROWS, {"<b>&": (1.0, 2.0, 3.0)}, unit=1)):
        assert "<b>" not in picture.svg + picture._repr_html_()
        ElementTree.fromstring(picture.svg)
