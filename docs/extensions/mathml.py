"""Formulas as MathML, which browsers lay out themselves: no script, no font, nothing from elsewhere.

A renderer for Sphinx's `html_math_renderer`; LaTeX is converted by latex2mathml.
"""

import re
from html import escape
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)
_REWRITTEN = (
    (r"\\tfrac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}"),
    (r"\\tfrac\b", r"\\frac"),
    (r"\\operatorname\*?\{(\w+)\}", r"\\mathrm{\1}"),
    (r"\\label\{[^}]*\}", ""),
)
"""What latex2mathml does not know, as what it knows."""


def to_mathml(latex: str, *, display: bool) -> str:
    """The MathML of a formula; ValueError when a command is not understood."""
    for pattern, replacement in _REWRITTEN:
        latex = re.sub(pattern, replacement, latex)
    try:
        mathml = convert(latex, display="block" if display else "inline")
    except Exception as error:  # latex2mathml has an exception of its own for everything
        raise ValueError(f"{type(error).__name__}: {error}") from error
    unknown = re.findall(r"<m[ion][^>]*>(\\[A-Za-z]+)", mathml)
    if unknown:
        raise ValueError(f"unknown commands: {', '.join(unknown)}")
    return mathml


def _html(node: Any, *, display: bool) -> str:
    latex = node.astext()
    try:
        return to_mathml(latex, display=display)
    except ValueError as error:
        _LOGGER.warning("a formula cannot be shown: %s: %s", error, latex, location=node)
        return f"<code>{escape(latex)}</code>"


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(_html(node, display=False))
    raise nodes.SkipNode


def _display(translator: Any, node: Any) -> None:
    translator.body.append(f'<div class="formula">{_html(node, display=True)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, Any]:
    """As Sphinx calls it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
