"""The application of the machines in QEMU: five files that tell their generation, and a handler.

A file of generation 3 says so in each of its lines, so that one which is half of the third and half
of the second generation, or too short, is none of either.
"""

from hashlib import sha256

import trees

VM_ID = "00112233-4455-6677-8899-aabbccddeeff"
# A Generation 1 VM's firmware has the first three fields in the other byte order.
GENERATION_1_UUID = "33221100-5544-7766-8899-aabbccddeeff"

NAMES = tuple(f"{number}.conf" for number in range(1, 6))
FOLDER = "/etc/shop"
LINES = 400  # more than two blocks of the disk
STOPPED = "/run/imds-bootstrap/stopped"  # a pipe, which a held run or handler writes to
STOP_AT = "/run/stop-at"
DROP_INS = "/run/systemd/system/imds-bootstrap.service.d"  # gone with the power

CONTENT = (
    f"{{% for number in range({LINES}) %}}"
    "generation {{ values.generation }}, line {{ number }}\n"
    "{% endfor %}"
)
DOCUMENT = {
    "version": 1,
    "values": {"generation": "0"},
    "files": [
        {"path": f"{FOLDER}/{name}", "content": CONTENT, "mode": "0640", "notify": ["shop"]}
        for name in NAMES
    ],
    "handlers": {"shop": [f"/{trees.LIBRARY}/reload"]},
}

# It remembers each generation that it was told of, and waits where the test wants the power cut.
# Only what it wrote itself is flushed: the rest is for the agent to do.
RELOAD = f"""#!/bin/sh
set -e
if grep -q ^handler {STOP_AT} 2>/dev/null; then
    echo stopped > {STOPPED}
    exec sleep infinity
fi
mkdir -p /var/lib/shop
head -n 1 {FOLDER}/{NAMES[-1]} >> /var/lib/shop/heard
sync /var/lib/shop/heard
"""

FURNITURE = {
    "documents": {"10-shop.yaml": DOCUMENT},
    "settings": {"deadline": 120},
    "programs": {"reload": RELOAD},
}


def text(generation):
    """What each file of a generation holds."""
    return "".join(f"generation {generation}, line {number}\n" for number in range(LINES))


def digest(generation):
    """The SHA-256 of each file of a generation."""
    return sha256(text(generation).encode()).hexdigest()


def told(content):
    """A file's content in a few words, for whoever reads of a failure."""
    lines = content.splitlines()
    return f"{len(lines)} lines from {lines[0]!r} to {lines[-1]!r}" if lines else "nothing"


def tags(generation):
    """The tags of a machine that is asked to be of this generation."""
    return {"config:generation": str(generation)}
