"""The grader: building assignments, isolating submissions, checking them, and reporting."""

__version__ = "0.1.0"
