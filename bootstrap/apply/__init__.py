"""Contents to files on the machine: plan, stage, commit, notify."""
