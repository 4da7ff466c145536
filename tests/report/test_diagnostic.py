"""An error on the screen: what, where, why, what to do."""

from bootstrap.errors import InvalidDocument, Problem
from bootstrap.report.diagnostic import describe

MODE = Problem(
    "420 is not a string",
    where="userData:4:11",
    path="files[0].mode",
    text="    mode: 0644",
    column=11,
    width=4,
    hint='quote it: mode: "0644"   (YAML reads 0644 as the number 420)',
)


def test_an_error_points_at_the_place_in_the_text():
    """The example of the design, letter by letter."""
    error = InvalidDocument("userData is not valid", problems=[MODE])
    assert describe(error) == (
        "error[IB105] userData is not valid\n"
        "  --> userData:4:11  files[0].mode\n"
        "   |\n"
        " 4 |     mode: 0644\n"
        "   |           ^^^^ 420 is not a string\n"
        '   = help: quote it: mode: "0644"   (YAML reads 0644 as the number 420)\n'
    )


def test_a_finding_without_text_fits_one_line():
    """A tag has no line and no column; a hidden value shows none."""
    problem = Problem("'x' is not a number", where="tag config:web.port", path="values.web.port")
    error = InvalidDocument("the tags are not valid", problems=[problem], hint="mend the tag")
    assert describe(error) == (
        "error[IB105] the tags are not valid\n"
        "  --> tag config:web.port  values.web.port: 'x' is not a number\n"
        "  = help: mend the tag\n"
    )


def test_what_others_wrote_cannot_steer_the_terminal():
    """Escape sequences in a document are shown as replacement characters."""
    problem = Problem(
        "\x1b[2Jboo", where="userData:1:1", text="a: \x1b]0;x\x07", column=4, width=99
    )
    shown = describe(InvalidDocument("no\rway", problems=[problem]))
    assert not {"\x1b", "\x07", "\r"} & set(shown)


def test_a_long_line_is_shown_around_its_finding():
    """One line of 10,000 characters does not fill the screen, and the mark stays in place."""
    text = "x" * 5000 + "BAD" + "y" * 5000
    problem = Problem("bad", where="userData:1:5001", text=text, column=5001, width=3)
    lines = describe(InvalidDocument("no", problems=[problem])).splitlines()
    shown, marks = lines[3], lines[4]
    assert len(shown) < 200
    assert shown[marks.index("^") : marks.index("^") + 3] == "BAD"


def test_colour_changes_nothing_but_colour():
    """With the colours taken out, both forms are the same text."""
    error = InvalidDocument("userData is not valid", problems=[MODE], hint="h")
    colored = describe(error, color=True)
    assert "\x1b[31m" in colored
    plain = colored
    for code in ("31", "34", "36", "1", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == describe(error)


def test_a_line_of_the_source_never_wraps():
    """On a terminal of 60 columns the shown part fits, says that it is cut, and keeps its mark."""
    text = "x" * 100 + "BAD" + "y" * 100
    problem = Problem("bad", where="userData:1:101", text=text, column=101, width=3)
    lines = describe(InvalidDocument("no", problems=[problem]), columns=60).splitlines()
    shown, marks = lines[3], lines[4]
    assert len(shown) <= 60
    assert shown.count("…") == 2
    assert shown[marks.index("^") : marks.index("^") + 3] == "BAD"


def test_the_value_of_a_tag_has_no_line_number():
    """A tag is no line of a file: nothing stands where its number would."""
    problem = Problem("no number", where="tag config:web.port", text="http", column=1, width=4)
    lines = describe(InvalidDocument("no", problems=[problem])).splitlines()
    assert lines[3] == "   | http"
    assert lines[4] == "   | ^^^^ no number"


def test_a_hint_of_many_lines_stays_together():
    """What a command wrote stands below its first line."""
    error = InvalidDocument("no", hint="it wrote: one\ntwo")
    assert describe(error).splitlines()[1:] == ["  = help: it wrote: one", "          two"]
