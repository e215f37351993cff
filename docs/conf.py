"""How `make docs` turns this folder into pages: Sphinx, with MyST for Markdown and for notebooks.

Pages load nothing from elsewhere: no scripts, no fonts, no formulas by a script (they are MathML, which browsers show
themselves). Notebooks are shown as students get them and are not run.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE / "extensions"), str(ROOT), str(ROOT / "student_template")]

import adkit  # noqa: E402

project = "Automatic differentiation, graded"
author = copyright = "the authors of the course"
version = release = adkit.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "mathml", "pages"]
exclude_patterns = ["extensions/*", "_build/*"]
root_doc = "index"
if tags.has("students"):  # noqa: F821  # pyright: ignore[reportUndefinedVariable] - Sphinx puts it there
    # What students may have: the mathematics is the solutions, and maintainers' pages speak of hidden tests.
    root_doc = "students/index"
    exclude_patterns += ["index.md", "instructors/*", "maintainers/*", "maintainers/decisions/*"]
    exclude_patterns += [f"mathematics/{name}.md" for name in ("index", "modes", "matrix-functions", "solvers")]
    exclude_patterns += [f"mathematics/{name}.md" for name in ("checkpointing", "measured")]
    exclude_patterns += [
        f"reference/{name}.md" for name in ("index", "command-line", "assignment", "notebook", "files")
    ]
nitpicky = False
language = "en"

# --- Markdown and notebooks -------------------------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4  # as GitHub makes them
nb_execution_mode = "off"
nb_ipywidgets_js = {}
suppress_warnings = ["mystnb.unknown_mime_type"]

# --- code -------------------------------------------------------------------------------------------------------------

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
add_module_names = False
python_maximum_signature_line_length = 80

# --- pages ------------------------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["handbook.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False

# --- links, checked once a week ---------------------------------------------------------------------------------------

linkcheck_timeout = 30
linkcheck_retries = 3
linkcheck_workers = 4
linkcheck_anchors = False
linkcheck_ignore = [r"https://doi\.org/.*"]  # publishers refuse programs; what a DOI leads to does not change
