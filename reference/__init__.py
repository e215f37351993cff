"""Hidden reference implementations: the instructor's side only. Never handed out, never readable by a submission."""
