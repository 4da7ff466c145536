"""Bytes and tags to one validated configuration, every value with its origin.

    resolve              the whole way, from bytes to a Configuration
    collector            what the stages share: documents on their way, and the problems met so far
    userdata             userData as IMDS gives it -> the text of a document
    mime                 the part of a multi-part userData that is ours
    documents            one text -> one document that its schema accepts
    layers               image, environment, userData, tags: lowest first
    provenance           values that know who set them, and how one layer lies over another
    tags                 tags as the topmost layer
    tag_values           the text of a tag -> the type that the image's schema asks for
    policy               which layer may say what
    policy_table         which keys of a document each layer may say: the whole list
    reserved_paths       places of the system that are the image's alone
    path_names           characters that a path must not hold
    control_characters   control characters in what a tag or a userData says
    template_policy      which templates userData may use
    keyvault_references  references to secrets, in either spelling
    secret_values        fetched secrets against the image's schema
    secret_policy        which secrets each layer may name, and where they may go
    masking              sensitive values replaced by `***`
    windows_paths        paths of Windows, and when two are the same
    files                file entries of all layers -> FileSpecs
    exposure             files with a secret that more than their owner may use
    systemd_lint         handlers that may wait for themselves
    schema               JSON Schema: of documents, and of the image's values
    model                what all of it comes to

Pure: no file, no clock, no network, no environment; what it needs is handed in.
"""
