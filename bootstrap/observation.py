"""What there is to know of this machine: its settings, its image, what the platform says of it."""

from __future__ import annotations

import json

from bootstrap.errors import MetadataRefused, MissingInput, Problem, Public
from bootstrap.http.responses import strict_json
from bootstrap.image import read_image
from bootstrap.imds.client import Imds
from bootstrap.imds.instance import Instance, WrongShape, missing_keys
from bootstrap.platform.firmware import read_firmware
from bootstrap.report.log import DEBUG, INFO
from bootstrap.settings.load import load
from bootstrap.state import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.context import Machine
    from bootstrap.http.pacing import Attempt
    from bootstrap.identity.arc import Arc
    from bootstrap.image import Image
    from bootstrap.platform.firmware import Firmware
    from bootstrap.report.status import Status
    from bootstrap.settings import Settings

ARC_VERSION = "2019-11-01"  # the api-version that the agent of Azure Arc knows
SAVING = Public("save one with: imds-bootstrap show instance --format json > instance.json")

ALL_THE_SAME = "set imds.endpoint, or imds.detect to false, if IMDS is there all the same"


def observe(
    machine: Machine, *, offline: str | None = None, deadline: float | None = None
) -> tuple[Settings, Instance]:
    """The settings and the instance, for a question about this machine.

    `deadline` are the seconds to wait for IMDS, the settings' own if None. Raises MetadataRefused
    where this is no Azure machine.
    """
    settings = settings_of(machine)
    if offline is not None:
        return settings, read_offline(offline)
    firmware = read_firmware(machine.root)
    arc = arc_of(machine, settings, firmware)
    if is_elsewhere(settings, firmware, arc):
        raise MetadataRefused(elsewhere(firmware), hint=ALL_THE_SAME)
    end = machine.clock() + (settings.deadline if deadline is None else deadline)
    return settings, ask(machine, settings, deadline=end, vm_id=firmware.vm_id, arc=arc)


def settings_of(machine: Machine) -> Settings:
    """The settings, as remembered by the last run if their sources have not changed."""
    return load(
        root=machine.root,
        file=machine.settings_file,
        environ=machine.environ,
        assignments=machine.assignments,
        remembered=store.remembered_settings(root=machine.root),
    )


def read_image_of(machine: Machine, settings: Settings) -> Image:
    """What the image carries, where the settings say it lies."""
    return read_image(
        machine.root, templates=settings.templates, values_schema=settings.values_schema
    )


def is_elsewhere(settings: Settings, firmware: Firmware, arc: Arc | None) -> bool:
    """Whether this machine is not Azure's, as far as its firmware and its agents tell.

    Settings that say where IMDS is have answered the question.
    """
    is_found = settings.imds.endpoint or firmware.is_azure or arc
    return settings.imds.detect and not is_found


def elsewhere(firmware: Firmware) -> str:
    """Why a machine that `is_elsewhere` is taken to be so."""
    return f"this is not an Azure machine: {firmware.tells}"


def arc_of(machine: Machine, settings: Settings, firmware: Firmware) -> Arc | None:
    """Where the agent of Azure Arc answers, on a machine outside of Azure that has one."""
    if settings.imds.endpoint or firmware.is_azure:
        return None
    from bootstrap.identity.arc import detect

    return detect(machine.environ, machine.root)


def ask(
    machine: Machine,
    settings: Settings,
    *,
    deadline: float,
    vm_id: str | None = None,
    arc: Arc | None = None,
    status: Status | None = None,
    told: int = DEBUG,
) -> Instance:
    """Wait for IMDS until `deadline` (on the machine's clock) and give this VM's metadata.

    `vm_id` is the firmware's word for which VM this is; `arc` answers in the place of the host,
    and has a word of its own for the machine. What the asking took goes into `status`
    however it ends; that it has ended is told with the priority `told`. Raises
    MetadataUnavailable, MetadataRefused or SettingsError.
    """
    imds = Imds(
        arc.imds_endpoint if arc else settings.imds.endpoint,
        deadline=deadline,
        api_version=ARC_VERSION if arc else settings.imds.api_version,
        timeout=settings.imds.timeout,
        grace=settings.imds.grace,
        on_attempt=teller(machine, "imds.retry", "IMDS", deadline),
        clock=machine.clock,
        sleep=machine.sleep,
    )
    try:
        instance = imds.instance(expected_vm_id=None if arc else vm_id)
    finally:
        machine.log.end_progress()
        if status:
            status.record["imds"] = imds.tally.as_dict()
    machine.log.event(
        told,
        "imds.ready",
        requests=imds.tally.requests,
        elapsed=imds.tally.elapsed,
        api_version=instance.api_version,
        vm_id=instance.vm_id,
    )
    return instance


def read_offline(path: str) -> Instance:
    """The instance in a document saved by `show instance --format json`.

    Raises MissingInput when there is no such file or it is no instance document.
    """
    doing = f"reading the saved instance {path}"
    try:
        with open(path, "rb") as file:
            document = strict_json(file.read())
        return Instance.from_document(document, api_version="saved")
    except OSError as error:
        raise MissingInput(Public(f"{doing}: {error.strerror}"), hint=SAVING) from error
    except json.JSONDecodeError as error:
        problem = Problem(error.msg, where=f"{path}:{error.lineno}:{error.colno}")
        message = Public(f"{doing}: it is not JSON")
        raise MissingInput(message, hint=SAVING, problems=[problem]) from None
    except UnicodeDecodeError:
        raise MissingInput(Public(f"{doing}: it is not UTF-8 text"), hint=SAVING) from None
    except (WrongShape, ValueError) as error:
        message = Public(f"{doing}: it is no instance document")
        raise MissingInput(f"{doing}: {error}", hint=SAVING, public=message) from None


def warnings_of(instance: Instance) -> list[str]:
    """What this answer cannot say: an old api-version leaves parts out."""
    told = []
    if instance.user_data is None:
        told.append(
            f"IMDS answered with api-version {instance.api_version}, which has no userData "
            "(it appeared in 2021-01-01): only image documents and tags are used"
        )
    if instance.tags is None:
        told.append(
            f"IMDS answered with api-version {instance.api_version}, which has no list of tags "
            "(it appeared in 2019-06-04): no tag is used"
        )
    if missing := missing_keys(instance):
        told.append(f"IMDS left {' and '.join(missing)} out of its answer: taken for empty")
    return [Public(text) for text in told]


def teller(
    machine: Machine, event: str, service: str, deadline: float
) -> Callable[[Attempt], None]:
    """What tells of each failed request: a line that changes on a terminal, an event elsewhere."""

    def tell(attempt: Attempt) -> None:
        if attempt.outcome == "ok":
            return
        left = max(0.0, deadline - machine.clock())
        often = "once" if attempt.number == 1 else f"{attempt.number} times"
        # Whole in 80 columns, for an hour at least.
        line = (
            f"waiting for {service}: {attempt.outcome}; asked {often} in {attempt.elapsed:.0f} s, "
            f"giving up in {left:.0f} s"
        )
        priority = DEBUG if machine.log.progress(line) else INFO
        machine.log.event(
            priority,
            event,
            attempt=attempt.number,
            outcome=attempt.outcome,
            detail=attempt.detail or None,
            wait=attempt.wait,
        )

    return tell
