"""Grading in GitHub Actions: what the steps of .github/workflows/grade.yml call, `python -m autograder.actions`.

`hide` has the runner mask what was typed in, `fetch` and `unpack` bring submissions in as plain files, `plan` says how
many shards there are, `guard` runs a command whose output the runner must not take for commands, or that names
students, `summary` writes the page that a run shows. Logs and the page name no student (`autograder.actions.private`).
"""
