"""The grader: building assignments, isolating submissions, checking them, and reporting."""

from adkit import __version__ as __version__  # the course's: in a container there is no package metadata to ask
