"""What a root folder needs to be a machine in QEMU, and what of a usual one it does without.

    furnish(tree, documents={"10-shop.yaml": ...}, settings=...)

An emulated processor is slow, so units that no test asks about are masked. What the tests
themselves need, a shell on the second serial port and a way to hold a run at an instant, is put
beside the image; the agent and its unit are those of the package, unchanged.
"""

import json
import os
import shutil
from pathlib import Path

PARTS = Path(__file__).with_name("parts")
LIBRARY = "usr/local/lib/boot-test"
SYSTEM = "etc/systemd/system"

# None of these is asked about, and together they take a third of an emulated boot.
MASKED = """
    ssh.service ssh.socket apt-daily-upgrade.timer apt-daily.timer dpkg-db-backup.timer
    e2scrub_all.timer e2scrub_reap.service fstrim.timer getty-static.service getty@tty1.service
    serial-getty@ttyS0.service serial-getty@ttyS1.service systemd-tmpfiles-clean.timer
    dev-hugepages.mount dev-mqueue.mount kmod-static-nodes.service ldconfig.service
    modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service
    modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service
    proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-debug.mount
    sys-kernel-tracing.mount systemd-ask-password-console.path systemd-ask-password-wall.path
    systemd-binfmt.service systemd-firstboot.service systemd-hwdb-update.service
    systemd-journal-catalog-update.service systemd-journal-flush.service systemd-logind.service
    systemd-machine-id-commit.service systemd-modules-load.service systemd-pcrphase-initrd.service
    systemd-pcrphase-sysinit.service systemd-pcrphase.service systemd-random-seed.service
    systemd-sysctl.service systemd-timesyncd.service systemd-update-utmp-runlevel.service
    systemd-update-utmp.service systemd-user-sessions.service
"""


def furnish(tree, *, documents, settings=None, programs=None, files=None):
    """Make the tree a machine with these documents and settings in place of its own.

    `programs` are scripts for checks and handlers, by name, below `LIBRARY`; `files` are any
    others, by their path in the tree.
    """
    for unit in (*MASKED.split(), "shopd.service"):  # the application of the other boots
        mask(tree, unit)
    (tree / "etc/systemd/journald.conf").write_text("[Journal]\nStorage=volatile\n")
    (tree / "etc/fstab").write_text("")
    (tree / "etc/machine-id").write_text("")
    copy("10-any.network", tree / "etc/systemd/network")
    copy("serial-shell", tree / LIBRARY, mode=0o755)
    copy("stop_here.py", tree / LIBRARY)
    copy("held.conf", tree / LIBRARY)
    copy("serial-shell.service", tree / SYSTEM)
    wants = tree / SYSTEM / "sysinit.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "serial-shell.service").symlink_to("../serial-shell.service")
    for name, text in (files or {}).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    for name, text in (programs or {}).items():
        path = tree / LIBRARY / name
        path.write_text(text)
        path.chmod(0o755)
    configure(tree / "etc/imds-bootstrap", documents, settings or {})


def configure(folder, documents, settings):
    """Replace what an image says: `documents` by name, and the `settings` as a mapping."""
    shutil.rmtree(folder / "config.d")
    (folder / "config.d").mkdir()
    for name, document in documents.items():
        (folder / "config.d" / name).write_text(json.dumps(document))  # JSON is YAML
    (folder / "agent.yaml").write_text(json.dumps(settings))


def mask(tree, unit):
    """Have systemd ignore a unit."""
    path = tree / SYSTEM / unit
    path.unlink(missing_ok=True)
    path.symlink_to(os.devnull)


def copy(name, folder, *, mode=0o644):
    """One of the parts that lie beside this file, into a folder of the tree."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PARTS / name, folder / name)
    (folder / name).chmod(mode)
