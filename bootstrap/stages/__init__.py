"""How `agent` asks each room for its part: the context and the settings, as a room's parameters.

    imds      the instance, as IMDS or a saved document describes it
    config    the layers, from bytes to one validated configuration
    keyvault  the secrets that the configuration names
    render    the contents of all files
    apply     the plan, and the transaction

The stages platform and state need none: they are asked as they are. Commands that only look
(`show`, `get`, `render`) take the first three. Each imports its room when it is called, because an
unchanged run ends before most of them.
"""
