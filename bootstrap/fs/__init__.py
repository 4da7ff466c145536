"""Files of a machine: where a path leads inside the root, and what is read and written there.

    read        what stands at a place
    write       what can be done to it
    path        where a path lies when no link leads out of the root
    atomic      the agent's own files, written atomically
    xattr       labels, access lists and notes that a file has to keep
    selinux     what the SELinux policy says of a path
    temp_names  what files are called while a commit is under way
    errors      what the system said, as errors of this program
    mounts      which files are mount points
    accounts    users and groups by name, and what they make of a file's access

Nothing else in the program writes a file.
"""
