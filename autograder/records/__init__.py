"""Plain data that every later stage reads: results, the journal, the run, the class list, adjustments."""
