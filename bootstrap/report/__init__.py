"""What a run reports: log, status, errors, differences.

    log                  events and warnings on standard error, or in the journal
    status               how the run goes and how it ended: status.json
    changes              a plan, as lines for a person and as a record
    diagnostic           errors with their places, as text
    event_log_windows    the Application log of Windows
    boot_marker_windows  whether a run of this boot has left a status, on Windows

Texts for everybody are marked as `Public`: see `bootstrap.problem`.
"""
