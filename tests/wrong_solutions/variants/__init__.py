"""Further ways to make a known mistake, written with the catalogue in view: they widen the recognition, and estimate
nothing."""
