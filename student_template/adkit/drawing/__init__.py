"""Pictures as SVG: graphs, schedules, trade-offs and errors. They need no script, no font and no network."""
