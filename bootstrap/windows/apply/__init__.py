"""What can be done to a machine that runs Windows.


These stand in for the modules of the same names. What they stand on:

"""
