"""Contents to files on the machine: plan, stage, commit, notify.

What a plan is made of, and how it is made:


How a plan is carried out, and how it is taken back:

    systemd_creds  credentials that only this machine can read

What both stand on:

"""
