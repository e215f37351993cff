"""Puts a notebook's figures inside the notebook, so that it is one file, in the form that every front end shows.

The form is `<img src="data:image/png;base64,…">` in a markdown cell of its own. What decided, front end by front end:

- JupyterLab and Notebook 7 show data URIs of images, and attachments unless these are SVG (jupyterlab#5183, #10464).
- nbconvert shows attachments and PNG data URIs; its Markdown renderer (mistune) takes `data:image/svg+xml` for harmful.
- VS Code shows attachments (vscode#155777) and what markdown-it passes: data URIs of PNG, GIF, JPEG and WebP, not SVG.
- Colab does not show attachments; images pasted there become PNG data URIs (colabtools#3836). No way of embedding
  SVG works (colabtools#2092); of an image's attributes width and height are honoured (colabtools#5280).
- GitHub's viewer is nbconvert followed by a sanitizer: attachments and PNG data URIs arrive there as the same HTML.

So SVG is out, and attachments are out. JupyterLab, Notebook 7 and nbconvert were tried (tests/browser), the others not.
The element and not `![…](…)`: it has a width, and a PNG with two pixels for each of the page's would be twice as large
without. A cell of its own: whoever opens a text cell to read or to edit it finds text, not 20 kB of base64.

The author writes `![what it shows](figures/x.svg)`; the PNG beside the SVG, made by `autograder.build.pictures`, is
what is embedded. A figure without an SVG can be a PNG of its own.
"""

import base64
import re
from html import escape
from pathlib import Path

from autograder.build import BuildError
from autograder.build.pictures import SCALE, is_current

_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>figures/[^)\s]+)\)")
_PNG = b"\x89PNG\r\n\x1a\n"
_LINE = 4000
"""Characters of a line of base64. A URL's line ends mean nothing (WHATWG, URL Standard, section 4.4), and JupyterLab's
editor, hidden as it is, puts broken images of its own round lines of 20 000 characters and more."""


def split_figures(source: str, folder: Path) -> list[str]:
    """The markdown cells that an author's markdown cell becomes: its text, and each figure that is a paragraph.

    BuildError for a figure that is not there, is stale, has no alternative text, or is neither SVG nor PNG.
    """
    cells: list[str] = []
    text: list[str] = []
    for paragraph in re.split(r"\n{2,}", source):
        figure = _IMAGE.fullmatch(paragraph.strip())
        if figure is None:
            text.append(_IMAGE.sub(lambda match: _element(match, folder), paragraph))
            continue
        if text:
            cells.append("\n\n".join(text))
            text = []
        cells.append(_element(figure, folder))
    if text:
        cells.append("\n\n".join(text))
    return cells


def _element(match: re.Match[str], folder: Path) -> str:
    path = folder / match["path"]
    if path.suffix not in (".svg", ".png"):
        raise BuildError(f"{path}: figures are .svg or .png")
    if not path.is_file():
        raise BuildError(f"{path}: missing, but the notebook shows it")
    alt = " ".join(match["alt"].split())
    if not alt:
        raise BuildError(f"{path}: shown without a description; write ![what it shows](…)")
    if path.suffix == ".svg" and not is_current(path):
        raise BuildError(
            f"{path.with_suffix('.png')}: not made from {path.name} as it is now; run "
            f"python -m autograder.build.pictures {path} (or the assignment's draw_figures.py)"
        )
    png = path.with_suffix(".png").read_bytes()
    if not png.startswith(_PNG):
        raise BuildError(f"{path.with_suffix('.png')}: not a PNG file")
    width = int.from_bytes(png[16:20], "big") // (SCALE if path.suffix == ".svg" else 1)
    text = base64.b64encode(png).decode()
    lines = "\n".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
    return f'<img alt="{escape(alt)}" width="{width}" src="data:image/png;base64,{lines}">'
