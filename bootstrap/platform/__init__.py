"""Is this machine Azure's, and which VM is it: what the firmware says, without a network."""
