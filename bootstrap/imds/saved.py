"""An instance document that `show instance --format json` saved, in the place of IMDS."""

from __future__ import annotations

import json

from bootstrap.errors import MissingInput, Problem, Public
from bootstrap.http.responses import strict_json
from bootstrap.imds.instance import Instance, WrongShape

SAVING = Public("save one with: imds-bootstrap show instance --format json > instance.json")


def read_saved_instance(path: str) -> Instance:
    """Return the instance in the document at `path`.

    Raises MissingInput where there is no such file, or it holds no instance document.
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
