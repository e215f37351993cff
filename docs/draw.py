"""Draws what the handbook and the README show and no page can draw for itself; what it writes is committed.

    python docs/draw.py diagrams MERMAID     # the diagrams in Mermaid, as SVG, by mermaid.min.js of the npm package
    python docs/draw.py feedback PAGE        # a page of feedback, as docs/_static/feedback.png

Needs the packages of the `dev` group and a Chromium or Chrome that is on the machine ($CHROMIUM, or its usual name).
"""

import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "extensions")]

from pages import DRAWN, drawing  # noqa: E402

from autograder.build.pictures import find_browser  # noqa: E402

OPTIONS = {
    "startOnLoad": False,
    "securityLevel": "strict",
    "theme": "neutral",
    "htmlLabels": False,  # text that is SVG, which an image may hold
    "flowchart": {"htmlLabels": False, "useMaxWidth": True, "wrappingWidth": 420},
    "fontFamily": "system-ui, sans-serif",
}


def browser(playwright: Any) -> Any:
    """A headless browser."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=find_browser(), args=arguments)


def diagrams(mermaid: Path) -> None:
    """Draws every diagram that has changed, and removes drawings of none."""
    from playwright.sync_api import sync_playwright

    sources = {
        drawing(source): source
        for page in sorted(DOCS.rglob("*.md"))
        for source in re.findall(r"```mermaid\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    }
    folder = DOCS / DRAWN
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.svg"):
        if file.name not in sources:
            file.unlink()
    with sync_playwright() as playwright:
        page = browser(playwright).new_page()
        page.set_content("<body></body>")
        page.add_script_tag(path=str(mermaid))
        page.evaluate(f"mermaid.initialize({json.dumps(OPTIONS)})")
        for name, source in sources.items():
            if not (folder / name).is_file():
                svg = page.evaluate("async source => (await mermaid.render('drawing', source)).svg", source)
                (folder / name).write_text(
                    svg.replace("<br>", "<br/>").replace('style="', 'style="background: #fff; ', 1) + "\n",
                    encoding="utf-8",
                )
                print(f"wrote  {(folder / name).relative_to(DOCS.parent)}")


def feedback(page: Path) -> None:
    """The top of a page of feedback, as a small picture."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = browser(playwright).new_context(viewport={"width": 860, "height": 620}, device_scale_factor=1.5)
        view = context.new_page()
        view.goto(page.resolve().as_uri())
        shot = view.screenshot(clip={"x": 0, "y": 32, "width": 860, "height": 560})
    picture = Image.open(io.BytesIO(shot)).convert("RGB").quantize(64)
    target = DOCS / "_static" / "feedback.png"
    picture.save(target, "PNG", optimize=True)
    print(f"wrote  {target.relative_to(DOCS.parent)}, {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    {"diagrams": diagrams, "feedback": feedback}[sys.argv[1]](Path(sys.argv[2]))
