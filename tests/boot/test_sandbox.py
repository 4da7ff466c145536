"""The unit's sandbox holds, and what it lets through is what the job needs."""

import json

PROD = {"name": "shop-01", "tags": {"environment": "prod"}}
# A handler is a child of the agent, in the same sandbox: it tries what the unit forbids, and tells.
PROBE = """\
#!/usr/bin/python3
import ctypes, json, os, socket, subprocess

def tried(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return "allowed"

def written(folder):
    def write():
        path = os.path.join(folder, "tried")
        with open(path, "w"):
            os.unlink(path)
    return write

folders = ("/etc", "/opt", "/srv", "/var/lib", "/run", "/usr", "/boot", "/root", "/home")
found = {folder: tried(written(folder)) for folder in folders}
found["packet socket"] = tried(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
found["mount"] = "allowed" if not ctypes.CDLL(None).mount(b"a", b"/opt", b"tmpfs", 0, None) else ""
found["setuid file"] = tried(lambda: os.chmod(os.open("/opt/s", os.O_CREAT | os.O_WRONLY), 0o4755))
found["sysctl"] = tried(lambda: open("/proc/sys/kernel/hostname", "w").close())
lines = open("/proc/self/status").read().splitlines()
status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
found["new privileges"] = status["NoNewPrivs"]
found["seccomp"] = status["Seccomp"]
found["capabilities"] = int(status["CapBnd"], 16).bit_count()
found["asking systemd"] = subprocess.run(["systemctl", "is-active", "ssh.service"]).returncode
with open("/srv/found.json", "w") as file:
    json.dump(found, file)
"""
DOCUMENT = """\
#imds-bootstrap
version: 1
files:
  - {path: /srv/shop/robots.txt, notify: [probe]}
handlers:
  probe: [/opt/probe]
"""


def test_the_sandbox_is_enforced_and_the_job_is_done(root, machine, network):
    """Inside the unit /usr, /boot and the homes are read-only, and no privilege can be gained.

    /etc, /opt, /srv, /var and /run can be written, and systemd can be asked.
    """
    one = machine(root)
    one.lay({"opt/probe": PROBE}, mode=0o755)
    one.lay({"etc/imds-bootstrap/config.d/20-probe.yaml": DOCUMENT})
    with one.boot(network(PROD)) as running:
        running.wait_until_started()
        assert running.status()["handlers"] == ["shopd", "probe"]
        found = json.loads(running.execute("cat", "/srv/found.json"))
    for folder in ("/etc", "/opt", "/srv", "/var/lib", "/run"):
        assert found.pop(folder) == "allowed", folder
    for folder in ("/usr", "/boot", "/root", "/home"):
        assert found.pop(folder) == "Read-only file system", folder
    assert found.pop("capabilities") <= 8
    assert found == {
        "packet socket": "Address family not supported by protocol",
        "mount": "",
        "setuid file": "Operation not permitted",
        "sysctl": "Read-only file system",
        "new privileges": "1",
        "seccomp": "2",
        "asking systemd": 0,
    }
