"""Files of a machine: where a path leads inside the root, and what is read and written there.

    read              what is at a place
    write             the changes that can be made to it
    root        where a path of the agent's own lies below `--root`
    path              where a path lies if no link leads out of the root
    atomic            the agent's own files, written atomically
    xattr             labels, access lists and other extended attributes that a file has to keep
    selinux           the label that the SELinux policy gives a path
    temp_names        the names of files during a commit
    errors            errors of the operating system, as errors of this program
    mounts            which files are mount points
    accounts          users and groups by name, and the access that a file gets by them
    owned_file        the part of a wanted file that its access is read from
    kernel_windows    the calls of kernel32 that Python does not make
    security_windows  access lists of Windows
    sids_windows      accounts of Windows by their SIDs

Nothing else in the program writes a file. A module `_X_posix` or `_X_windows` is the part of `X`
that differs by system; `X` imports the one of its system, and the rest of the program imports `X`.
A module `X_windows` or `X_posix` has no counterpart on the other system.
"""
