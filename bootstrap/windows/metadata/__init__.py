"""What the platform says to a machine that runs Windows.

smbios     the firmware's tables, which say whether this is Azure and which VM it is
arc_files  where the agent of Azure Arc lies, and how its keys are read
"""
