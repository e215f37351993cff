"""What every HTML page here is made in: one file, no script, nothing loaded, light and dark."""

from autograder.text import for_html

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #ffffff; --ink: #1c2330; --faint: #5b6577;
  --line: #dfe3ea; --accent: #2f6fde; --good: #177a4b; --good-ground: #e5f5ec; --bad: #b3362b;
  --bad-ground: #fcebe9; --note: #8a5a00; --note-ground: #fdf3dc; --track: #e6e9ef; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161d; --card: #1b212b; --ink: #e6eaf1; --faint: #98a3b5;
  --line: #303948; --accent: #79a8ff; --good: #63d297; --good-ground: #16301f; --bad: #ff8f82;
  --bad-ground: #3a1f1d; --note: #f0c469; --note-ground: #352a12; --track: #2c3442; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { max-width: 54rem; margin: 0 auto; }
main.wide { max-width: 76rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.1rem; line-height: 1.3; margin: 0; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; }
p { margin: .5rem 0; }
.faint { color: var(--faint); }
.small { font-size: .875rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem;
  margin: 1rem 0; overflow-wrap: anywhere; }
.head { display: flex; gap: 1rem; justify-content: space-between; align-items: baseline; }
.points { white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; }
.total { font-size: 2rem; line-height: 1.1; }
.bar { height: .4rem; border-radius: .2rem; background: var(--track); margin: .6rem 0; overflow: hidden; }
.bar > span { display: block; height: 100%; background: var(--accent); }
ul.cases { list-style: none; margin: .75rem 0 0; padding: 0; }
ul.cases > li { display: grid; grid-template-columns: 1.5rem 1fr auto; gap: .25rem .4rem; padding: .45rem 0;
  border-top: 1px solid var(--line); }
.mark { font-weight: 700; }
.pass .mark { color: var(--good); }
.fail .mark { color: var(--bad); }
.message { grid-column: 2 / -1; white-space: pre-wrap; background: var(--bad-ground); border-radius: .4rem;
  padding: .45rem .7rem; margin: .1rem 0 .2rem; font-size: .9375rem; }
.box { border-radius: .5rem; padding: .6rem .9rem; margin: .8rem 0; white-space: pre-wrap; }
.box.bad { background: var(--bad-ground); color: var(--ink); border-left: .25rem solid var(--bad); }
.box.note { background: var(--note-ground); border-left: .25rem solid var(--note); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9375rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 600; font-size: .8125rem; white-space: nowrap; }
td.n, th.n { text-align: right; }
td.n, td.s { white-space: nowrap; overflow-wrap: normal; }
td.bad { color: var(--bad); }
td.file { min-width: 12rem; }
table.steps { margin: .4rem 0 0; } table.steps tr:last-child td { border-bottom: 0; }
table.steps td:first-child { padding-left: 0; } table.steps td:last-child { padding-right: 0; }
a { color: var(--accent); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; }
.figures > div { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .8rem 1rem; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
svg { width: 100%; max-width: 46rem; height: auto; display: block; margin: 0 auto; }
svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
svg .column { fill: var(--accent); } svg .axis { stroke: var(--line); } svg text.count { fill: var(--ink); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: .5rem 0; }
dt { color: var(--faint); } dd { margin: 0; }
@media print { body { background: #fff; padding: 0; } .card { break-inside: avoid; } }
"""


def page(title: str, body: str, *, wide: bool = False) -> str:
    """A whole page; `body` is HTML, `title` is text."""
    kind = ' class="wide"' if wide else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{for_html(title, 200)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main{kind}>\n{body}\n</main>\n</body>\n</html>\n"
    )


def bar(share: float) -> str:
    """A thin bar filled to `share` (0 to 1)."""
    width = 100 * min(1.0, max(0.0, share))
    return f'<div class="bar" aria-hidden="true"><span style="width:{width:.1f}%"></span></div>'


def signed(value: float) -> str:
    """A difference of points: +2, −1.5."""
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"


def number(value: float) -> str:
    """A number of points as people write it: 8, 7.5, 0.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))
