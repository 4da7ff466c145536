"""The platform of this machine and the id of its VM, read from the firmware without a network."""
