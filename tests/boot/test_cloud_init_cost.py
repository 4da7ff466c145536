"""What a boot pays for the agent, against cloud-init doing the same job on the same machine.

`make bench-boot` shows the whole comparison, over more rounds.
"""

import os

import pytest
import roots
from comparison import AGENT, BOOTS, CLOUD_INIT, FILES, compare, least, table

pytestmark = pytest.mark.boot

ROUNDS = 2
# The goals are a fifth of cloud-init's processor time on a first boot and a tenth on an unchanged
# one. Half of that is held here, so that only a real change of the program can fail it.
AT_LEAST = {"first": 2.5, "unchanged": 5}


@pytest.fixture(scope="module")
def compared(containers, tmp_path_factory):
    """The costs and the files of both."""
    try:
        root = roots.build("bookworm", packages=("cloud-init",))
    except roots.Missing as reason:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(reason))
    folder = tmp_path_factory.mktemp("comparison")
    return compare(root, folder, rounds=ROUNDS, contestants=(AGENT, CLOUD_INIT))


def test_both_write_the_same_files(compared, capsys):
    """From one userData the agent and cloud-init render five files, byte for byte the same."""
    costs, files = compared
    with capsys.disabled():
        print("", *table(costs), sep="\n")
    assert list(files[AGENT.name]) == list(FILES)
    assert files[AGENT.name] == files[CLOUD_INIT.name]
    assert "key19=57; # end\nworkers = 4\n" in files[AGENT.name][FILES[0]]


@pytest.mark.parametrize("boot", BOOTS)
def test_a_boot_pays_far_less_than_for_cloud_init(compared, boot):
    """The processor time of the agent's unit stays a small part of that of cloud-init's stages."""
    costs, _ = compared
    ours, theirs = (least(costs[one.name][boot], "cpu") for one in (AGENT, CLOUD_INIT))
    assert theirs >= AT_LEAST[boot] * ours
