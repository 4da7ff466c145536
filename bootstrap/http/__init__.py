"""One GET with a total deadline, and when to send it again; for IMDS and the identity endpoints.

    endpoint   an http:// address: host, port and the path before `/metadata`
    transport  one GET over one connection
    http1      one response, parsed from bytes as they arrive
    responses  the meaning of each status, and the action that follows
    retry      send a request until its response can be used or an error is final
    pacing     the deadline, the spacing, the waits and the count of one series of requests
    backoff    exponential backoff with full jitter
    limiter    how many requests run at once, and how far apart they start

Only `transport` opens a connection.
"""
