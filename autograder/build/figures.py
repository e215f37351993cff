"""Puts a notebook's figures inside the notebook, as Jupyter's markdown attachments, so that it is one file.

Attachments and not data URIs in the text: the text stays readable, and nbconvert's Markdown renderer refuses
`data:image/svg+xml` links as harmful while it embeds attachments.
"""

import base64
import re
from pathlib import Path

from autograder.build import BuildError

_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>figures/[^)\s]+)\)")
_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}

Attachments = dict[str, dict[str, str]]
"""File name -> {media type: base64}, as nbformat 4 stores it."""


def inline_figures(source: str, folder: Path) -> tuple[str, Attachments]:
    """Markdown whose `![…](figures/x.svg)` refer to attachments, and the attachments.

    BuildError for a figure that is not there, has no alternative text, or is neither SVG nor PNG.
    """
    attachments: Attachments = {}

    def attach(match: re.Match[str]) -> str:
        path = folder / match["path"]
        if path.suffix not in _TYPES:
            raise BuildError(f"{path}: figures are .svg or .png")
        if not path.is_file():
            raise BuildError(f"{path}: missing, but the notebook shows it")
        if not match["alt"].strip():
            raise BuildError(f"{path}: shown without a description; write ![what it shows](…)")
        attachments[path.name] = {_TYPES[path.suffix]: base64.b64encode(path.read_bytes()).decode("ascii")}
        return f"![{match['alt']}](attachment:{path.name})"

    return _IMAGE.sub(attach, source), attachments
