"""What can be done to a machine that runs Windows.

    disk       what stands at a place
    writing    what can be done to it
    place      where a path lies: drives, junctions, capitals
    accounts   owners and access lists by the names that a document gives them
    commands   processes, started and brought to an end with their children
    mounts     no file is a mount point
    strangers  who else could decide where a file ends up

These stand in for the modules of the same names. What they stand on:

    security   access lists as the system has them
    sids       accounts by the numbers that those lists know them by
    kernel     the calls of kernel32 that Python does not make
    jobs       a command and all that it starts, held together
"""
