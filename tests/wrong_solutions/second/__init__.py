"""A second set, written when the recognition had been worked on with the first: an honest measure of it."""
