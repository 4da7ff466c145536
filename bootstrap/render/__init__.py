"""Rendering of templates and values to the contents of files, in memory.

    contents         the contents of all files, and which of them hold a secret
    credentials      secrets as files of their own, for systemd
    rendering        renders all files, or reports everything that is wrong
    rendered         the input and the output of the rendering
    environment      the Jinja environment, sandboxed and strict
    sandbox          what a template may use of a value
    filters          the filters that templates have besides Jinja's own
    inclusion        which templates a template may include, extend or import
    sandbox_filters  the checks around each filter and test
    limits           the limits on the time and the size of a rendering
    secret_tracking  records whether a file uses a secret
    tag_text         tags with a control character, which a template may not read
    masking          the mask in place of a value that must not be shown
    whitespace       which newlines of a template are text
    undefined        a name that does not exist
    suggestions      the full path of a missing name, and the name that was probably meant
    errors           the errors that a filter raises, for the template's author
    prints           what a template prints, as paths into its context
    unfiltered       where a template prints what may be any text, without a filter
    template_errors  the error that ended a rendering, for the template's author
    findings         the problems in the templates, each once, with its line

Pure: these modules use no file, no network and no environment. The caller passes the clock.
"""
