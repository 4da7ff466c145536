"""Write contents to files on the machine: plan, stage, check, commit, notify.

plan           what would change, and the destinations that are refused
transaction    carry out a plan as a whole, or roll it back
systemd_creds  credentials that only this machine can read
"""
