"""HTML pages: templates of `templates/`, filled in so that nothing of a submission can be markup.

Whatever a template prints is cleaned and bounded (`for_page`) and escaped by Jinja, whether its author thought of that
or not; the filter that switches it off is removed. Two filters bound a text more tightly: `short(limit)`, and
`line(limit)`, which also makes it one line.
"""

import base64
from functools import cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.text import for_page, number, signed


class Image(str):
    """A drawing as the address of an image: base64 in a data URI, in which nothing needs cleaning or is too long.

    As an image an SVG runs no script and loads nothing, whatever is in it.
    """

    __slots__ = ()

    @staticmethod
    def of(svg: str) -> "Image":
        """Of a drawing."""
        return Image(f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}")


def render(template: str, **values: object) -> str:
    """A page: a template of `templates/` with these values."""
    return _environment().get_template(template).render(values)


def compile_templates() -> None:
    """Compiles all templates, which `render` does when it first needs one."""
    for template in _environment().list_templates(extensions=["html"]):
        _environment().get_template(template)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("autograder.report"),
        autoescape=True,
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters.update(short=for_page, line=partial(for_page, lines=False), number=number, signed=signed)
    del environment.filters["safe"]
    return environment


def _printed(value: object) -> object:
    if type(value) is Image:
        return str(value)
    # what has __html__ came out of a template's own macro and is escaped already; no text of a submission has it
    return value if hasattr(value, "__html__") else for_page(str(value))
