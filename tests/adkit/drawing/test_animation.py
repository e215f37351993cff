"""Pictures of schedules: self-contained, well-formed, true to the schedule, and a meaningful still without motion."""

import re
from xml.etree import ElementTree

import pytest
from adkit import animate, least_evaluations, simulate, space_time, stills, trade_off
from adkit.drawing.space_time import _story
from adkit.drawing.svg import AMBER, BLUE
from adkit.schedule import ScheduleError
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.checkpointing import checkpointed_schedule, memory_poor_schedule, optimal_schedule, vanilla_schedule

SVG = "{http://www.w3.org/2000/svg}"
TEN = checkpointed_schedule(10, [3, 6, 9])


def pictures() -> dict[str, str]:
    return {
        "animation": animate(TEN, 10).svg,
        "one layer": animate(vanilla_schedule(1), 1).svg,
        "stills": stills(TEN, 10, range(0, len(TEN) + 1, 5)).svg,
        "lifetimes": space_time(TEN, 10).svg,
        "long lifetimes": space_time(optimal_schedule(300, 6), 300).svg,
        "trade-off": trade_off(50, {"mine": optimal_schedule(50, 4)}).svg,
    }


@pytest.mark.parametrize("name", pictures())
def test_a_picture_is_one_file_without_scripts_or_links(name: str) -> None:
    svg = pictures()[name]
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "rect", "circle", "path", "text", "tspan", "g", "style",
    }  # fmt: skip
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"\bon\w+=|url\(|@import", svg)
    assert len(svg) < 60_000


def test_an_animation_of_ten_layers_takes_a_few_kilobytes() -> None:
    assert len(animate(TEN, 10).svg) < 18_000


def captions(svg: str) -> list[str]:
    return re.findall(r"<tspan x='0' dy='\d+'>([^<]*)</tspan>", svg)


def test_there_is_one_frame_an_action_with_its_counters() -> None:
    trace = simulate(10, TEN)
    frames = captions(animate(TEN, 10).svg)
    assert len(frames) == len(TEN) + 1
    for frame, state, used in zip(frames[1:], trace.states(), trace.memory, strict=True):
        name, i = state.action
        assert frame.split() == [name, str(i), "memory", str(used), "evaluations", str(state.evaluations)]


def test_without_motion_the_frame_of_the_peak_is_shown() -> None:
    svg = animate(TEN, 10).svg
    shift = re.search(r"translate\(0,-(\d+)\)", svg)
    assert shift is not None
    frame = captions(svg)[int(shift[1]) // 26]
    assert f"memory {simulate(10, TEN).peak} " in frame
    filled = [c for c in ElementTree.fromstring(svg).iter(f"{SVG}rect") if c.get("fill") == BLUE]
    assert [c.get("opacity") for c in filled] == [None] * 4


def test_a_node_is_filled_exactly_while_its_activation_is_in_memory() -> None:
    svg = animate(TEN, 10).svg
    trace = simulate(10, TEN)
    frames = len(TEN) + 1
    keyframes = {
        name: [(float(at), int(value)) for at, value in re.findall(r"([\d.]+)%\{opacity:(\d)\}", body)]
        for name, body in re.findall(r"@keyframes (\w+)\{((?:[\d.]+%\{opacity:\d\})+)\}", svg)
    }

    def shown(shape: ElementTree.Element, frame: int) -> bool:
        animation = re.search(r"animation-name:(\w+)", shape.get("style") or "")
        if animation is None:
            return True
        now = 100 * frame / frames + 0.01
        return [value for at, value in keyframes[animation[1]] if at <= now][-1] == 1

    groups = {g.get("stroke"): g for g in ElementTree.fromstring(svg).iter(f"{SVG}g") if g.get("fill-opacity")}
    overlays = [*groups[AMBER], *groups[BLUE]]
    for frame, live in enumerate(trace.live, start=1):
        filled = {(int(shape.attrib["cx"]) - 40) // 58 for shape in overlays if shown(shape, frame)}
        assert filled == live


def test_in_a_notebook_a_checkbox_pauses_it() -> None:
    html = animate(TEN, 10)._repr_html_()
    assert "type='checkbox'" in html
    assert ":checked~svg *{animation-play-state:paused" in html
    assert "<script" not in html


@pytest.mark.parametrize("draw", [animate, space_time])
def test_an_illegal_schedule_is_not_drawn(draw: object) -> None:
    assert callable(draw)
    with pytest.raises(ScheduleError):
        draw(TEN[:-1], 10)


def test_what_nobody_could_watch_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="space_time"):
        animate(memory_poor_schedule(39), 39, title="long")
    with pytest.raises(ValueError, match="space_time"):
        animate(memory_poor_schedule(50), 50)


def test_a_still_shows_what_is_in_memory_after_so_many_actions() -> None:
    trace = simulate(10, TEN)
    root = ElementTree.fromstring(stills(TEN, 10, [0, 14, 22]).svg)
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert [text for text in texts if "memory" in text and "peak" not in text] == [
        "at the start; memory 0, 0 evaluations",
        "after 14 actions: save 10; memory 4, 10 evaluations",
        "after 22 actions: save 8; memory 4, 12 evaluations",
    ]
    filled = [
        {(int(shape.attrib["cx"]) - 40) // 58 for shape in frame if shape.get("stroke") in (AMBER, BLUE)}
        for frame in root.findall(f"{SVG}g")[:3]
    ]
    assert filled == [set(), set(trace.live[13]), set(trace.live[21])]


@pytest.mark.parametrize("at", [[], [-1], [len(TEN) + 1]])
def test_a_still_that_does_not_exist_is_refused(at: list[int]) -> None:
    with pytest.raises(ValueError, match=f"from 0 to {len(TEN)}"):
        stills(TEN, 10, at)


def test_titles_and_names_are_text() -> None:
    for svg in (
        animate(TEN, 10, title="<b>&").svg,
        stills(TEN, 10, [3], title="<b>&").svg,
        space_time(TEN, 10, title="<b>&").svg,
        trade_off(10, {"<b>&": TEN}).svg,
    ):
        assert "<b>" not in svg
        ElementTree.fromstring(svg)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(1, 8))
def test_the_shaded_area_is_the_memory_over_time(n: int, memory: int) -> None:
    story = _story(simulate(n, optimal_schedule(n, memory)))
    lifetimes = sum(end - start for _, start, end in story.saved + story.working)
    assert lifetimes == sum(story.memory)
    assert len(story.memory) == len(story.forward) + n


def test_a_trade_off_shows_each_schedule_at_its_counts() -> None:
    svg = trade_off(30, {"vanilla": vanilla_schedule(30), "optimal": optimal_schedule(30, 5)}).svg
    assert "vanilla (30, 30)" in svg
    assert f"optimal (5, {least_evaluations(30, 5)})" in svg


@pytest.mark.parametrize("n", [1, 0, 10**6])
def test_a_trade_off_of_too_few_or_too_many_layers_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="trade-off"):
        trade_off(n)
