"""Drawings and figures are up to date, and have WCAG 2.2's contrast of 3 to 1 on light and on dark pages, measured."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import adkit
import numpy as np
import pytest
from adkit import differences
from adkit.drawing import svg as drawing
from PIL import Image

from autograder.build.pictures import is_current
from reference.checkpointing import checkpointed_schedule

ASSIGNMENTS = Path(__file__).parents[3] / "assignments"
FIGURES = sorted(ASSIGNMENTS.glob("*/figures/*.png"))
SCRIPTS = sorted(ASSIGNMENTS.glob("*/draw_figures.py"))
# JupyterLab 4's --jp-layout-color0 and -color1 in both themes (tests/browser compares them with the page's)
PAGES = {"light": "#ffffff", "dark": "#111111", "dark, an output": "#212121"}
ENOUGH = 3.0
SCHEDULE = checkpointed_schedule(10, [3, 6, 9])


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=float)


def luminance(colours: np.ndarray) -> np.ndarray:
    """WCAG 2.2's relative luminance of 8-bit sRGB colours, (…, 3)."""
    parts = np.asarray(colours, dtype=float) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    a, b = luminance(first), luminance(second)
    return (np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05)


def over(colour: np.ndarray, opacity: float, page: np.ndarray) -> np.ndarray:
    return opacity * colour + (1 - opacity) * page


def pixels_of(figure: Path) -> np.ndarray:
    """Red, green, blue and alpha of each pixel, (height, width, 4)."""
    with Image.open(figure) as image:
        return np.asarray(image.convert("RGBA"), dtype=float)


def pictures() -> Iterator[tuple[str, str]]:
    toy = adkit.toy_graph()
    yield "graph", adkit.draw(toy, [1.0] * 5, [1.0] * 5, [1.0] * 5).svg
    yield "constant", adkit.draw(adkit.trace(lambda x: x * 2.5, 1)).svg
    yield "animation", adkit.animate(SCHEDULE, 10).svg
    yield "stills", adkit.stills(SCHEDULE, 10, range(len(SCHEDULE))).svg
    yield "lifetimes", adkit.space_time(SCHEDULE, 10).svg
    yield "trade-off", adkit.trade_off(10, {str(k): SCHEDULE for k in range(8)}).svg
    yield "errors", differences.error_plot({str(k): lambda h: 1 + h for k in range(8)}, exact=1.0).svg
    yield "table", adkit.trace_table(toy, [1.0] * 5, [1.0] * 5, [1.0] * 5)._repr_html_()
    yield from ((str(path.relative_to(ASSIGNMENTS)), path.read_text("utf-8")) for path in ASSIGNMENTS.rglob("*.svg"))


@pytest.mark.parametrize(("name", "svg"), pictures(), ids=lambda value: value if len(value) < 60 else "")
def test_every_colour_of_a_picture_stands_out_on_every_page_and_on_every_tint(name: str, svg: str) -> None:
    colours = set(re.findall(r"#[0-9a-f]{6}\b", svg))
    assert colours
    assert not re.search(r"#[0-9a-f]{3}\b(?![0-9a-f])", svg), "short colours are not measured"
    assert not re.search(r"(fill|stroke)='(?!none|#)", svg), "named colours are not measured"
    tints = {float(opacity) for opacity in re.findall(r"fill-opacity='([\d.]+)'", svg)}
    for page in map(rgb, PAGES.values()):
        for colour in map(rgb, colours):
            assert contrast(colour, page) >= ENOUGH
            for area in map(rgb, colours):
                for opacity in tints:
                    assert contrast(colour, over(area, opacity, page)) >= ENOUGH


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.name)
def test_the_pixels_of_a_figure_stand_out_from_the_page(figure: Path, page: str) -> None:
    pixels = pixels_of(figure)
    alpha = pixels[..., 3]
    assert (alpha[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all(), "a figure has no background of its own"
    assert (alpha < 255 * 0.25).mean() > 0.7
    drawn = pixels[alpha >= 250][:, :3]
    assert len(drawn) > 1000
    assert contrast(drawn, rgb(PAGES[page])).min() >= ENOUGH


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.name)
def test_a_figure_is_sharp_and_small(figure: Path) -> None:
    width = re.search(r"width=.(\d+)", figure.with_suffix(".svg").read_text(encoding="utf-8"))
    assert width is not None
    assert pixels_of(figure).shape[1] == 2 * int(width[1])
    assert figure.stat().st_size < 60_000


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.parent.name)
def test_the_figures_are_what_their_script_draws_and_their_pngs_what_is_drawn(script: Path) -> None:
    drawn = runpy.run_path(str(script))["figures"]()
    there = {path.name: path.read_text(encoding="utf-8") for path in (script.parent / "figures").glob("*.svg")}
    assert drawn == there
    assert [name for name in there if not is_current(script.parent / "figures" / name)] == []


def test_the_palette_has_one_luminance() -> None:
    palette = [getattr(drawing, name) for name in ("BLUE", "ORANGE", "GREEN", "PURPLE", "AMBER", "TEAL", "INK")]
    assert np.ptp(luminance(np.array([rgb(colour) for colour in palette]))) < 0.01
