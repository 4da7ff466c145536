"""What was done, for this machine; and that one run does it at a time."""
