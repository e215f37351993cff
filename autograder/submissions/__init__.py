"""What students handed in: reading a file, a batch of files, and collecting them from a platform's download."""
