"""Feedback and the class report in a browser: readable on a phone, in the dark, on paper, by keyboard and aloud."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import feedback_examples
import pytest
import simulated_class
from axe_playwright_python.sync_playwright import Axe
from nasty import NASTY
from playwright.sync_api import Browser, Page
from pytidyhtml5 import OptionId, tidy_document  # pyright: ignore[reportAttributeAccessIssue] (compiled, without types)

from autograder.report.feedback import feedback_page
from autograder.report.write import write_everything
from autograder.text import for_page

SITUATIONS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 420, "height": 800}},
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files by name: a class report and a page for each kind of feedback."""
    folder = tmp_path_factory.mktemp("reports")
    out = simulated_class.write(folder / "out", 100)
    earlier = simulated_class.write(folder / "earlier", 40, 2)
    write_everything(out, earlier)
    made = {"report": out / "report.html"}
    for name, (result, final) in feedback_examples.examples().items():
        made[name] = folder / f"{name}.html"
        text = feedback_page(result, feedback_examples.RUN.title, final, feedback_examples.RUN)
        made[name].write_text(text, encoding="utf-8")
    return made


@pytest.fixture(params=SITUATIONS)
def situated(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(**SITUATIONS[request.param])
    yield context.new_page()
    context.close()


def problems_for_readers(page: Page) -> list[str]:
    """What axe finds, each with the element."""
    found: Any = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"][:3]]


def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(situated: Page, pages: dict[str, Path]) -> None:
    for name, file in pages.items():
        situated.goto(file.as_uri())
        assert problems_for_readers(situated) == [], name
        wide = situated.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, name


def test_the_markup_is_valid(pages: dict[str, Path]) -> None:
    for name, file in pages.items():
        _, said = tidy_document(file.read_text(encoding="utf-8"), options={OptionId.drop_empty_elems: False})
        assert [line for line in said.splitlines() if "Warning:" in line or "Error:" in line] == [], name


def test_on_paper_bars_keep_their_colour_and_nothing_scrolls(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page(viewport={"width": 720, "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    for file in pages.values():
        page.goto(file.as_uri())
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        bars = "[...document.querySelectorAll('.bar > span')].map(e => getComputedStyle(e).printColorAdjust)"
        assert set(page.evaluate(bars)) <= {"exact"}
        clipped = (
            "[...document.querySelectorAll('.scroll')].filter(e => getComputedStyle(e).overflowX !== 'visible').length"
        )
        assert page.evaluate(clipped) == 0
    page.close()


def test_what_students_are_called_is_text_and_runs_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("console", lambda message: said.append(message.text))
    page.goto(pages["report"].as_uri())
    names = page.eval_on_selector_all("table.searched td.who", "cells => cells.map(cell => cell.textContent)")
    shown = [for_page(text.replace("\x00", ""), 120, lines=False) for text in NASTY if len(text) < 200 and text.strip()]
    assert sum(name in shown for name in names) >= len(shown) - 12  # what a CSV file cannot hold is not in the roster
    assert any("<script>" in name for name in names)
    page.locator("table.searched thead button").nth(1).click()
    page.locator("#search input").fill("<img")
    assert said == []
    assert page.locator("img").count() == 0
    page.close()


def test_the_table_is_sorted_and_searched_by_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["report"].as_uri())
    total = page.locator("table.searched thead th", has_text="total")
    total.locator("button").focus()
    page.keyboard.press("Enter")
    assert total.get_attribute("aria-sort") == "ascending"
    points = "rows => rows.map(row => Number(row.querySelector('b').textContent))"
    column = page.eval_on_selector_all("table.searched tbody tr", points)
    assert column == sorted(column)
    page.keyboard.press("Enter")
    assert total.get_attribute("aria-sort") == "descending"
    assert page.eval_on_selector_all("table.searched tbody tr", points) == sorted(column, reverse=True)
    page.locator("#search input").fill("s02")
    assert page.locator("table.searched tbody tr:visible").count() == 10
    assert page.locator("#search output").text_content() == "10 of 100"
    page.close()


def test_a_question_is_unfolded_and_a_mistake_is_reached_by_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["mistake"].as_uri())
    folded = page.locator("details:not([open])").first
    folded.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("details:not([open])").count() == 0
    page.locator('a[href="#mistake-1"]').first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector(':target').id") == "mistake-1"
    page.close()
