"""Commands: started, watched, and ended with all that they started.

    runner     processes, started and brought to an end
    kill_tree  a command that takes too long, ended with all that descends from it
    result     how a command came to its end
    command    its words, how a message spells them, and what to do when it fails
    deadline   the run's own deadline, which no command may outlast

Nothing else in the program starts a process.
"""
