"""How valid the tests are: small faults put into the references, and whether each loses points.

| module | does |
|---|---|
| `mutants` | makes the faults: edits of the references, the catalogue of known mistakes, pairs of these |
| `scoring` | runs the cases of a question on a mutant, in processes that can be ended |
| `oracles` | decides without the references whether a mutant that keeps all points is right all the same |
| `record` | outcomes on disk, what is out of date, the summary in `validity.json` and the handbook's table |

`make validity` runs what is missing; `python benchmarks/validity --help` says more.
"""
