"""Running a submission where it can do no harm.

The tests, the references and the scores stay in a trusted process. The submission runs in a process of its own,
forked from a warm template and confined by every layer the machine offers; only frames of plain data cross.
"""
