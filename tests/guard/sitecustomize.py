"""No test reaches beyond loopback: every Python that the tests start loads this first.

The audit hook sees each connection before it is made. In a network namespace that a test made for
itself (any but the one the suite began in) all addresses are the test's own.
"""

import os
import sys

HOST_NAMESPACE = os.environ.get("TESTS_HOST_NAMESPACE")


def refuse_beyond_loopback(event, arguments):
    if event not in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        return
    address = arguments[1]
    if not isinstance(address, tuple):
        return  # a Unix socket
    host = str(address[0])
    if host.startswith("127.") or host in ("::1", "localhost"):
        return
    if HOST_NAMESPACE and os.readlink("/proc/self/ns/net") != HOST_NAMESPACE:
        return
    sys.stderr.write(f"a test tried to reach {host}, which is not loopback\n")
    os._exit(99)


if sys.platform == "linux":
    sys.addaudithook(refuse_beyond_loopback)
