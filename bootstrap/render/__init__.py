"""Templates and values to the contents of files, in memory."""
