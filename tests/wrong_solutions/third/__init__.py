"""A third set, written when the recognition had been worked on with the first two, by somebody who had read the
catalogue, and committed before it was graded: another measure of what it does with answers that it was not made for."""
