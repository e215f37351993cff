"""What a notebook does by itself: its cells run as the grader runs them, its checks, and the file to hand in."""
