"""Events: one greppable line each, priorities in the journal, nothing that breaks a line."""

import io
import os

import pytest

from bootstrap.report.log import DEBUG, INFO, WARNING, Log


def logged(**options):
    stream = io.StringIO()
    return stream, Log(stream, **options)


def test_an_event_is_a_name_and_its_fields():
    """Times carry their unit, what is None is left out, spaces are quoted."""
    stream, log = logged()
    log.event(INFO, "imds.ready", attempt=3, elapsed=2.06, version=None, detail='a "b"')
    assert stream.getvalue() == 'imds.ready attempt=3 elapsed=2.1s detail="a \\"b\\""\n'


def test_a_field_cannot_forge_a_second_line():
    """A newline in what a server said stays inside its field."""
    stream, log = logged()
    log.event(INFO, "imds.retry", detail="x\nimds.ready attempt=1\x1b[2J")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(("level", "told"), [(WARNING, 1), (INFO, 2), (DEBUG, 3)])
def test_the_level_decides_what_is_told(level, told):
    """-q tells of warnings and errors, -v of every step."""
    stream, log = logged(level=level)
    log.warning("careful")
    log.event(INFO, "run.started")
    log.event(DEBUG, "file.unchanged")
    assert len(stream.getvalue().splitlines()) == told


def test_the_journal_gets_priorities(tmp_path):
    """Where stderr is the journal's stream, each line begins with its priority."""
    with open(tmp_path / "journal", "w+") as stream:
        status = os.fstat(stream.fileno())
        log = Log(stream, environ={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        log.error("error[IB201] one\n  = help: two\n")
        log.warning("three")
        stream.seek(0)
        assert stream.read() == "<3>error[IB201] one\n<3>  = help: two\n<4>warning: three\n"


def test_another_stream_gets_none(tmp_path):
    """A redirected stderr of a unit is not the journal."""
    with open(tmp_path / "file", "w+") as stream:
        log = Log(stream, environ={"JOURNAL_STREAM": "1:2"})
        log.warning("plain")
        stream.seek(0)
        assert stream.read() == "warning: plain\n"


def test_progress_is_for_terminals_only():
    """Elsewhere the caller is told that nobody sees it, and logs events instead."""
    stream, log = logged()
    assert log.progress("waiting") is False
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self):
        """A terminal is one."""
        return True


def test_the_line_of_a_wait_goes_when_the_wait_is_over():
    """What is printed next begins a line, on a terminal as everywhere."""
    stream = Terminal()
    log = Log(stream)
    assert log.progress("waiting")
    log.end_progress()
    log.end_progress()
    assert stream.getvalue() == "\r\x1b[Kwaiting\r\x1b[K"


def test_a_log_that_cannot_be_written_stops_nothing():
    """A reader who left, or a full disk, does not end a run half way."""
    with open("/dev/full", "w") as stream:
        log = Log(stream)
        log.event(INFO, "run.started")
        log.warning("careful")
        log.error("error")
        with pytest.raises(OSError, match="space"):
            stream.flush()  # what is still buffered is the interpreter's to complain of
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
