"""The figures of the notebooks: SVG drawn with a few shapes, and its PNG, which is what a notebook holds.

Figures are transparent and use the colours of `adkit.drawing.graph`, which can be read on light and on dark pages. Each
`assignments/<name>/draw_figures.py` draws its own; any SVG file is rendered by

    python -m autograder.build.pictures assignments/<name>/figures/*.svg

which needs the packages of the `dev` group and a Chromium or Chrome that is on the machine ($CHROMIUM, or by its usual
name). The PNG is committed beside its SVG, because no two machines have the same fonts, and it carries the digest of
the SVG that it was made from, by which the build notices a stale one.
"""

import hashlib
import io
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from adkit.drawing.graph import AMBER, BLUE, EDGE, FONT, INK, TINT

SCALE = 2
"""Pixels of the PNG for each pixel of the SVG."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

INPUT, OUTPUT, INNER = BLUE, AMBER, INK


def picture(width: int, height: int, title: str, *parts: str) -> str:
    """An SVG of the given size in pixels, without a background."""
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' {FONT} font-size='15' role='img'><title>{escape(title)}</title>"
        f"{''.join(parts)}</svg>"
    )


def box(
    x: float, y: float, *lines: tuple[str, str] | str, colour: str = INNER, width: float = 104, height: float = 40
) -> str:
    """A node around (x, y); each line is a text, or a text and its colour. The first is bold."""
    texts = [line if isinstance(line, tuple) else (line, INK) for line in lines]
    first = y + 5 - 9.5 * (len(texts) - 1)
    return (
        f"<rect x='{x - width / 2}' y='{y - height / 2}' width='{width}' height='{height}' rx='9' fill='{colour}' "
        f"fill-opacity='{TINT}' stroke='{colour}' stroke-width='1.5'/>"
        + "".join(
            label(x, first + 19 * place, text, ink, weight=600 if place == 0 else 400)
            for place, (text, ink) in enumerate(texts)
        )
    )


def label(
    x: float, y: float, text: str, colour: str = INK, size: int = 15, weight: int = 400, anchor: str = "middle"
) -> str:
    """A line of text."""
    return (
        f"<text x='{x}' y='{y}' text-anchor='{anchor}' fill='{colour}' font-size='{size}' "
        f"font-weight='{weight}'>{escape(text)}</text>"
    )


def arrow(x1: float, y1: float, x2: float, y2: float, colour: str = EDGE, dashed: bool = False) -> str:
    """A straight arrow with a head at its end."""
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bx, by = x2 - 9 * ux, y2 - 9 * uy
    dash = " stroke-dasharray='6 5'" if dashed else ""
    return f"<path d='M{x1},{y1}L{bx:.1f},{by:.1f}' stroke='{colour}' stroke-width='2' fill='none'{dash}/>" + _head(
        x2, y2, ux, uy, colour
    )


def bent_arrow(x1: float, y1: float, x2: float, y2: float, colour: str = EDGE) -> str:
    """An arrow that leaves and arrives horizontally."""
    ux = 1.0 if x2 > x1 else -1.0
    bx, middle = x2 - 8 * ux, (x1 + x2) / 2
    return (
        f"<path d='M{x1},{y1}C{middle:.1f},{y1} {middle:.1f},{y2} {bx:.1f},{y2}' stroke='{colour}' "
        f"stroke-width='2' fill='none'/>" + _head(x2, y2, ux, 0.0, colour)
    )


def _head(x: float, y: float, ux: float, uy: float, colour: str) -> str:
    bx, by = x - 9 * ux, y - 9 * uy
    points = f"{x:.1f},{y:.1f} {bx - 5 * uy:.1f},{by + 5 * ux:.1f} {bx + 5 * uy:.1f},{by - 5 * ux:.1f}"
    return f"<polygon points='{points}' fill='{colour}'/>"


# --- SVG and PNG --------------------------------------------------------------------------------------------------


def write(folder: Path, figures: Mapping[str, str]) -> None:
    """Writes each SVG (file name -> text) into `folder` and renders those whose PNG is missing or stale."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in figures.items():
        (folder / name).write_text(svg, encoding="utf-8")
    render([folder / name for name in figures])


def render(files: Sequence[Path]) -> list[Path]:
    """Makes the PNG beside each SVG file, transparent and `SCALE` times as large, unless it is there and up to date.

    Returns the files written. RuntimeError when there is no browser or the packages of the `dev` group are missing.
    """
    stale = [file for file in files if not is_current(file)]
    if not stale:
        return []
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        raise RuntimeError("rendering figures needs the packages of the dev group: make install") from None
    executable = find_browser()
    if executable is None:
        raise RuntimeError(f"rendering figures needs a browser; looked for $CHROMIUM, {', '.join(BROWSERS)}")
    written: list[Path] = []
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox does not start as root
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        # where nothing moves, an animation shows its still frame
        page = browser.new_context(device_scale_factor=SCALE, reduced_motion="reduce").new_page()
        for file in stale:
            svg = file.read_text(encoding="utf-8")
            page.set_content(f"<style>body{{margin:0}}svg{{display:block;max-width:none!important}}</style>{svg}")
            shot = page.locator("svg").first.screenshot(omit_background=True)
            target = file.with_suffix(".png")
            target.write_bytes(_labelled(shot, digest(svg)))
            written.append(target)
        browser.close()
    return written


def find_browser() -> str | None:
    """A Chromium or Chrome that is on this machine: $CHROMIUM, else by its usual names; None when there is none."""
    wanted = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else BROWSERS
    return next((path for name in wanted if (path := shutil.which(name))), None)


def digest(svg: str) -> str:
    """What a PNG says of the SVG that it was made from."""
    return hashlib.sha256(svg.encode("utf-8")).hexdigest()


def is_current(svg: Path) -> bool:
    """Whether the PNG beside an SVG file is there and was made from what the file holds now."""
    try:
        return _KEY + digest(svg.read_text(encoding="utf-8")).encode("ascii") in svg.with_suffix(".png").read_bytes()
    except FileNotFoundError:
        return False


_KEY = b"svg-sha256\0"


def _labelled(png: bytes, made_from: str) -> bytes:
    """The PNG with 256 colours (a quarter of the size) and a text chunk with the digest of its SVG."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    image = Image.open(io.BytesIO(png)).convert("RGBA").quantize(256, method=Image.Quantize.FASTOCTREE)
    text = PngInfo()
    text.add_text(_KEY[:-1].decode("ascii"), made_from)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True, pnginfo=text)
    return out.getvalue()


if __name__ == "__main__":
    for path in render([Path(name) for name in sys.argv[1:]]):
        print(f"wrote  {path}")
