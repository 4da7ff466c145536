"""Contents to files on the machine: plan, stage, check, commit, notify.

plan           what would change, and what must not
transaction    how a plan is carried out whole, or taken back
systemd_creds  credentials that only this machine can read
"""
