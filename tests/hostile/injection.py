"""Attacks on those who read the results: pages, spreadsheets, terminals, summaries, file names."""

from hostile.attack import Attack

SEEN = "the text steers something: a tag in a page, a formula in a cell, a control sequence on a terminal"
MARKUP = '<script>alert("HOSTILE")</script><img src=x onerror=HOSTILE()>"\'><svg/onload=HOSTILE()>'
TERMINAL = "\x1b]0;HOSTILE\x07\x1b[2J\x1b[31mHOSTILE\x1b]52;c;SE9TVElMRQ==\x07\x9b2J\r\b\x7f\u202eELITSOH\u2066"
FORMULA = '=cmd|"/c calc"!A1 HOSTILE'


def _say(text):
    return (
        f"TEXT = {text!r}\n"
        + """
print(TEXT); print(TEXT, file=sys.stderr)
class Named(Exception): pass
Named.__name__ = Named.__qualname__ = TEXT
def twice(x): raise Named(TEXT)
def energy(x): return TEXT
def at_one(f, x): raise ValueError(TEXT)
twice.__name__ = energy.__name__ = at_one.__qualname__ = TEXT
# %%
raise ValueError(TEXT)
"""
    )


ATTACKS = (
    Attack("html-in-everything", "injection", "markup in output, exceptions, kinds of exceptions, function names", SEEN, _say(MARKUP)),
    Attack("html-entities-and-urls", "injection", "entities, javascript: links, template braces, comments that close", SEEN, _say('&lt;script&gt; &#60;b&#62; --><b>HOSTILE</b> [x](javascript:HOSTILE) {{7*7}} ${HOSTILE} ]]> <!-- </style><b>HOSTILE</b>')),
    Attack("terminal-in-everything", "injection", "control sequences: title, clipboard, clear screen, C1, backspaces, bidirectional marks", SEEN, _say(TERMINAL)),
    Attack("formula-in-everything", "injection", "spreadsheet formulas", SEEN, _say(FORMULA)),
    Attack("markdown-in-everything", "injection", "Markdown: tables, links, images, headings, HTML, workflow commands", SEEN, _say("| a | b |\n|---|---|\n# HOSTILE\n![x](http://127.0.0.1/HOSTILE)\n::set-output name=x::HOSTILE\n::error::HOSTILE\n<details open>HOSTILE</details>")),
    Attack("unicode-in-everything", "injection", "surrogates, zalgo, null bytes, separators, a million characters", SEEN, _say("a" + "\u0301" * 5000 + "\u2028\u2029\x00\x85\ufeff\U000e0041HOSTILE" + "W" * 100000)),
    Attack("metadata-markup", "injection", "markup in every free field of the notebook's metadata", SEEN, metadata=MARKUP),
    Attack("file-name-markup", "injection", "markup in the file's name", SEEN, file='<img src=x onerror=HOSTILE()>".ipynb'),
    Attack("file-name-formula", "injection", "a formula as the file's name", SEEN, file='=HYPERLINK("HOSTILE").ipynb'),
    Attack("file-name-terminal", "injection", "control sequences and line breaks in the file's name", SEEN, file="\x1b]0;HOSTILE\x07\x1b[31m\nHOSTILE\r.ipynb"),
    Attack("file-name-options", "injection", "a file's name that looks like an option, with path tricks", SEEN, file="--isolation=no ..\\..\\HOSTILE;$(touch HOSTILE).ipynb"),
    Attack("file-name-invalid", "injection", "a file's name that is no Unicode", SEEN, file="HOSTILE-\udcff\udcfe.ipynb"),
    Attack("cell-number-lies", "injection", "reports errors for cells that do not exist, with markup", SEEN, "MARKUP = " + repr(MARKUP + TERMINAL) + '''
from autograder.isolation import child
def cells(notebook, channel, request):
    return {"defined": ["twice", MARKUP], "failed": [(2**62, MARKUP), (-1, MARKUP), (0, MARKUP * 1000)]}
child._run_cells = cells
'''),
    Attack("noticed-markup", "injection", "reports packages, magics and settings that are markup, in numbers and types of its choice", SEEN, "MARKUP = " + repr(MARKUP + TERMINAL) + '''
from autograder.isolation import child
names = [MARKUP, "a.b;" + MARKUP, "HOSTILE\\n", "x" * 10**6, None, 3, np.zeros(3), "\\u202eHOSTILE"]
def cells(notebook, channel, request):
    noticed = {"shown": dict.fromkeys(map(str, names), 2**62), "missing": {MARKUP: 1, "m": np.zeros(2)}, "not_run": names * 1000, "settings": names, "debug": names, "more": np.ones(3)}
    return {"defined": ["twice"], "failed": [], "noticed": noticed}
child._run_cells = cells
'''),
    Attack("magics-markup", "injection", "commands, magics, modules and files whose names are markup", SEEN, "MARKUP = " + repr(MARKUP + TERMINAL) + '''
shell = get_ipython()
shell.run_line_magic(MARKUP, MARKUP)
shell.system(MARKUP)
shell.run_cell_magic(MARKUP, MARKUP, MARKUP)
__import__(MARKUP)
shell.run_line_magic("run", MARKUP)
# %%
!<script>HOSTILE()</script>
%<script>HOSTILE()</script>
'''),
    Attack("kinds-markup", "injection", "replies with forged kinds of exceptions, each of them markup", SEEN, "MARKUP = " + repr(MARKUP + TERMINAL) + '''
from autograder.isolation import child
child._reply = lambda answer: {"raised": [MARKUP] * 100000, "message": MARKUP}
''', slow=True),
    Attack("names-from-elsewhere", "injection", "modules, cells' file names and exceptions that carry the names of the grader's own, with lines of a million characters", SEEN, '''
import types, linecache
bad = types.ModuleType("autograder.grading.one" + "<b>HOSTILE</b>")
class AssertionError(Exception): __module__ = "otter"; __qualname__ = "<script>HOSTILE()</script>"
AssertionError.__name__ = "=HYPERLINK(\\"HOSTILE\\")"
linecache.cache["<cell 1>"] = (1, None, ["\\x1b]0;HOSTILE\\x07" * 100_000], "<cell 1>")
print("<script>HOSTILE()</script>" * 40_000)
exec(compile("def twice(x): raise AssertionError('\\x1b[31mHOSTILE' * 50_000)", "<cell 1>\\n\\x1b[31m<b>HOSTILE</b>", "exec"))
'''),
)  # fmt: skip
