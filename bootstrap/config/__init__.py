"""Bytes and tags to one validated configuration, every value with its origin.

    resolve         the whole way, from bytes to a Configuration
    stage           what the stages share: documents on their way, and the problems met so far
    userdata        userData as IMDS gives it -> the text of a document
    mime            the part of a multi-part userData that is ours
    documents       one text -> one document that its schema accepts
    layers          image, environment, userData, tags: lowest first
    origins         values that know who set them, and how one layer lies over another
    tags            tags as the topmost layer
    tag_values      the text of a tag -> the type that the image's schema asks for
    trust           which layer may say what
    trust_table     which keys of a document each layer may say: the whole list
    closed          places of the system that are the image's alone
    path_names      characters that a path must not hold
    control         control characters in what a tag or a userData says
    template_trust  which templates userData may use
    references      references to secrets, in either spelling
    secret_values   fetched secrets against the image's schema
    secret_trust    which secrets each layer may name, and where they may go
    drives          paths of Windows, and when two are the same
    files           file entries of all layers -> FileSpecs
    exposure        files with a secret that more than their owner may use
    unit_commands   handlers that may wait for themselves
    image_schema    the image owner's schema for values, fit for use
    schema          JSON Schema, offline
    shape           what a JSON Schema says about a path: types, names, what is hidden
    sentences       a schema's complaints in plain words
    configuration   what all of it comes to

Pure: no file, no clock, no network, no environment; what it needs is handed in.
"""
