"""What a run reports: log, status, errors, differences.

    log         events and warnings on standard error, or in the journal
    progress    one line that changes while a service is asked again and again
    status      how the run goes and how it ended: status.json
    changes     a plan, as lines for a person and as a record
    diagnostic  errors with their places, as text

Texts for everybody are marked as `Public`: see `bootstrap.problem`.
"""
