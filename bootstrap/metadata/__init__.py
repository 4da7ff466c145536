"""What the platform says: is this Azure, which machine is it, what was it given."""
