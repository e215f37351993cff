"""A schedule step by step: the film strip shows each state, and buttons lead through all of them."""

import re
from xml.etree import ElementTree

import pytest
from adkit import ScheduleError, simulate, step_through, steps
from adkit.drawing.svg import AMBER, BLUE

from reference.checkpointing import checkpointed_schedule, memory_poor_schedule

SVG = "{http://www.w3.org/2000/svg}"
TEN = checkpointed_schedule(10, [3, 6, 9])


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_a_frame_has_its_number_its_action_and_the_memory_after_it() -> None:
    strip = steps(TEN, 10, first=14, count=5)
    memory = simulate(10, TEN).memory
    for k, frame in enumerate(strip.panels, 14):
        action, i = TEN[k - 1]
        assert texts(frame.svg)[:3] == [f"{k}.", f"{action} {i}", f"memory {memory[k - 1]}"]
    assert len(strip.panels) == 5


def test_a_frame_fills_what_is_in_memory() -> None:
    live = [frozenset[int](), *simulate(10, TEN).live]
    for k, frame in enumerate(steps(TEN, 10, count=len(TEN) + 1).panels):
        circles = ElementTree.fromstring(frame.svg).iter(f"{SVG}circle")
        filled = {(int(c.attrib["cx"]) - 22) // 32 for c in circles if c.get("stroke") in (AMBER, BLUE)}
        assert filled == live[k]


def test_the_strip_begins_at_the_start_and_ends_where_the_schedule_does() -> None:
    assert texts(steps(TEN, 10).svg)[:3] == ["0.", "start", "memory 0"]
    assert len(steps(TEN, 10, first=len(TEN) - 1, count=9).panels) == 2


@pytest.mark.parametrize(("first", "count"), [(-1, 3), (len(TEN) + 1, 3), (0, 0), (0, 61)])
def test_frames_that_do_not_exist_are_refused(first: int, count: int) -> None:
    with pytest.raises(ValueError, match="number of"):
        steps(TEN, 10, first=first, count=count)


def test_an_illegal_schedule_is_not_shown() -> None:
    for draw in (steps, step_through):
        with pytest.raises(ScheduleError):
            draw(TEN[:-1], 10)


def test_there_is_one_button_for_each_frame_and_its_moment_in_the_film() -> None:
    html = step_through(TEN, 10)._repr_html_()
    frames = len(TEN) + 1
    assert html.count("type='radio'") == html.count("--at:-") == frames
    assert html.count(" checked>") == 1
    assert "<script" not in html
    assert "prefers-reduced-motion" not in html  # nothing moves by itself
    seconds = re.search(r"\{animation:([\d.]+)s step-end", html)
    assert seconds is not None
    assert float(seconds[1]) == frames


def test_the_enter_key_in_the_buttons_does_not_leave_the_page() -> None:
    assert step_through(TEN, 10)._repr_html_().startswith("<form class=")
    assert "method='dialog'" in step_through(TEN, 10)._repr_html_()


def test_where_there_are_no_buttons_the_film_strip_is_shown() -> None:
    assert step_through(TEN, 10, title="mine").svg == steps(TEN, 10, title="mine").svg


def test_what_nobody_would_click_through_is_refused() -> None:
    with pytest.raises(ValueError, match="space_time"):
        step_through(memory_poor_schedule(50), 50)


def test_titles_are_text() -> None:
    for picture in (steps(TEN, 10, title="<b>&"), step_through(TEN, 10, title="<b>&")):
        assert "<b>" not in picture.svg + picture._repr_html_()
