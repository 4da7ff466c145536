"""What is told of a run: log, status, errors, differences.

    log                  events of a run, one line each
    status               how a run goes and how it ended, in a file for every user
    diagnostic           an error, in lines for a person
    changes              the differences of files
    event_log_windows    the Application log of Windows
    boot_marker_windows  whether a run of this boot has left a status, on Windows

Nothing of it holds a secret or a token.
"""
