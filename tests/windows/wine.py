"""Windows programs under Wine, in a network namespace that holds nothing but the loopback device.

Under Wine the sockets are made by `wineserver`, not by the program. One that was left over from
elsewhere would carry the program's traffic out of the namespace, so Wine is never started anywhere
else: `Wine` ends the prefix's wineserver, refuses to go on while any lives, starts one inside and
checks that each that runs is there, before the first program starts and before every other.
"""

import os
import select
import signal
import subprocess
import time
from pathlib import Path

WINE = "/usr/lib/wine/wine64"
SERVER = "/usr/lib/wine/wineserver64"
CONFIGURATION = r"C:\ProgramData\imds-bootstrap"  # what the program reads
SHOP = r"C:\Shop"  # what it writes, in these tests
SERVER_NAMES = ("wineserver64", "wineserver")
LINGER = 600  # seconds that the wineserver waits for a next program
CONTROL = 20  # seconds a word to the wineserver may take
SETUP = 240  # seconds a new prefix may take


class OutsideError(Exception):
    """A wineserver is not where it has to be: nothing may be started."""


class CommandResult:
    """How a Windows program ended: its code, and the bytes of its two outputs as text."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"Ended({self.code}\n{self.out}\n{self.err})"


class Wine:
    """Wine with this prefix, inside the network namespace of this name."""

    def __init__(self, prefix, namespace):
        self.prefix = Path(prefix)
        self.namespace = namespace
        self.environ = {
            "HOME": os.environ["HOME"],
            "PATH": "/usr/bin:/bin",
            "WINEPREFIX": str(prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
        }

    def __enter__(self):
        self.prefix.mkdir(parents=True, exist_ok=True)
        self._control("-k")
        wait_for(lambda: not servers(), "a wineserver runs already, and is not ours to end")
        self._control(f"-p{LINGER}")
        self.require_inside()
        try:
            self._make_prefix()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._control("-k")
        wait_for(lambda: not servers(), "the wineserver does not end")

    def restart(self):
        """End everything that runs, as a reboot does, and begin anew."""
        self.__exit__()
        self.__enter__()

    def require_inside(self):
        """Raise OutsideError unless a wineserver runs, and each that runs is in the namespace."""
        running = servers()
        inside = (
            self._inside("readlink", "/proc/self/ns/net", out=subprocess.PIPE)
            .stdout.decode()
            .strip()
        )
        away = [pid for pid in running if _link(f"/proc/{pid}/ns/net") != inside]
        if not running or away:
            raise OutsideError(f"wineservers {running}, outside the namespace: {away}")

    def run(self, *words, seconds=150, environ=None):
        """Run a Windows program to its end."""
        process = self.start(*words, environ=environ)
        process.stdin.close()
        out, err = follow(process, seconds)
        return CommandResult(process.returncode, out, err)

    def start(self, *words, environ=None):
        """Start a Windows program.

        With three pipes: on anything else a Windows Python cannot begin.
        """
        self.require_inside()
        pipe = subprocess.PIPE
        return subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, WINE, *map(str, words)],
            env=self.environ | (environ or {}),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    def path(self, windows):
        """Where a file of drive C: lies for the tests."""
        assert windows.startswith("C:\\")
        return self.prefix / "drive_c" / windows[3:].replace("\\", "/")

    def _make_prefix(self):
        ready = self.prefix / ".ready"
        if ready.exists():
            return
        self._setup("wineboot", "-i")
        version = ["/v", "Version", "/d", "win10", "/f"]
        self._setup("reg", "add", r"HKCU\Software\Wine", *version)
        ready.touch()

    def _setup(self, *words):
        ended = self.run(*words, seconds=SETUP)
        assert ended.code == 0, ended

    def _control(self, word):
        self._inside(SERVER, word)

    def _inside(self, *words, out=subprocess.DEVNULL):
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace, *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.DEVNULL,
            timeout=CONTROL,
            check=False,
        )


def servers():
    """The process ids of all wineservers of this machine."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text().strip()
        except OSError:
            continue
        if name in SERVER_NAMES:
            found.append(int(folder.name))
    return found


def follow(process, seconds):
    """The two outputs of a process until it ends itself, whoever else holds their pipes."""
    streams = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    collected = dict(streams)
    end = time.monotonic() + seconds
    while streams:
        ended = process.poll() is not None
        ready = select.select(list(streams), [], [], 0 if ended else 0.05)[0]
        if ended and not ready:
            break
        for descriptor in ready:
            piece = os.read(descriptor, 65536)
            collected[descriptor] += piece
            if not piece:
                del streams[descriptor]
        if time.monotonic() > end:
            process.send_signal(signal.SIGKILL)
            process.wait()
            raise TimeoutError(f"{process.args} did not end within {seconds} s: {collected}")
    process.wait(timeout=seconds)
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return tuple(bytes(one).decode("utf-8", "replace") for one in collected.values())


def wait_for(condition, otherwise, seconds=10):
    """Wait until something is so; raises OutsideError with `otherwise`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise OutsideError(otherwise)
        time.sleep(0.05)


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""
