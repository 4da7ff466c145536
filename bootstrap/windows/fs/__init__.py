"""Files on Windows.

    read      what stands at a place
    write     what can be done to it
    path      where a path lies: drives, junctions, capitals
    mounts    no file is a mount point
    accounts  owners and access lists by the names that a document gives them
    kernel    the calls of kernel32 that Python does not make
    security  access lists as the system has them
    sids      accounts by the numbers that those lists know them by

The first five stand in for the modules of their names.
"""
