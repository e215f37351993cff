"""A sixth set, written from the text of the questions alone like the first one, without a look at the catalogue or at
the recognition as it was by then, and committed before it was graded."""
