"""Random inputs of hidden cases, drawn from the course's seed."""
