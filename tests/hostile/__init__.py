"""Attacks on the grader, as data, and the apparatus that watches from outside whether one succeeds.

corpus.py     all attacks; score.py, leak.py, host.py, availability.py, persistence.py, injection.py: one class each
attack.py     what an attack is
apparatus.py  canaries, listeners, markers, honest neighbours: what success looks like from outside
runners.py    the ways a submission is graded: a session in this process, `autograder grade`, `otter run`, `otter grade`
situations.py poorer machines than this one, for the attacks to meet
"""
