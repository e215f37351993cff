"""Functions as JAX traces them: exported, transformed, run, and their work and residuals counted."""
