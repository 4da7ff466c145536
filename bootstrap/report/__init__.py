"""What is told of a run: log, status, errors, differences."""
