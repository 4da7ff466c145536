"""TODO.

runner     processes, started and brought to an end
kill_tree  a command that takes too long, ended with all that descends from it
result     how a command came to its end
deadline   the run's own deadline, which no command may outlast
"""
