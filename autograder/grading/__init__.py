"""Grading: one submission, a pool of workers, a cluster; caches and warm-up; recognition of known mistakes."""
