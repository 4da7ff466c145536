"""Templates and values to the contents of files, in memory.

    contents         all files of a configuration, and which of them hold a secret
    credentials      secrets as files of their own, for systemd
    rendering        all files, or everything that is wrong
    rendered         what goes in and what comes out
    environment      Jinja, sandboxed and strict
    sandbox          what a template may reach inside a value
    filters          the filters that templates have beside Jinja's own
    inclusion        which templates a template may include, extend or import
    sandbox_filters  what stands between a template and a filter
    limits           how much time and room a rendering may use
    secret_tracking  whether a file looked at a secret
    tag_text         tags with a control character, which a template may not look at
    masking          what stands for a value that must not be shown
    whitespace       which newlines of a template are text
    undefined        a name that does not exist
    suggestions      what a missing name is called, and which was probably meant
    errors           what a filter raises: words for the template's author
    prints           what a template prints, as paths into what it sees
    unfiltered       where a template prints what may be any text, filtered by nothing
    template_errors  what ended a rendering, in such words
    findings         what is wrong with the templates, each thing once, at its line

Pure: no file, no network, no environment; the clock is handed in.
"""
