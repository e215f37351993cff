"""The figures of the notebooks: SVG files, and their PNGs, which are what a notebook holds.

Each `assignments/<name>/draw_figures.py` draws its own with `adkit.drawing.svg`; any SVG file is rendered by

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
from pathlib import Path

SCALE = 2
"""Pixels of the PNG for each pixel of the SVG."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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
