"""Pictures as SVG: graphs, schedules, trade-offs and errors, all drawn with `adkit.drawing.svg`.

They need no script, no font and no network.
"""
