"""One validated configuration, made of bytes and tags; every value has its origin.

    resolve              all steps, from bytes to a Configuration
    collector            the documents that were read, and the problems found so far
    userdata             userData as IMDS gives it -> the text of a document
    mime                 the part of a multi-part userData that is for this program
    documents            one text -> one document that its schema accepts
    layers               image, environment, userData, tags: lowest first
    provenance           values with their origins, and how one layer is merged over another
    tags                 tags as the topmost layer
    tag_values           the text of a tag -> the type that the image's schema asks for
    policy               what each layer may set
    policy_table         which keys of a document each layer may set: the whole list
    reserved_paths       paths of the system where only the image may place files
    path_names           characters that a path must not hold
    control_characters   control characters in tags and userData
    template_policy      which templates userData may use
    keyvault_references  references to secrets, in either spelling
    secret_values        fetched secrets, checked by the image's schema
    secret_policy        which secrets each layer may name, and where they may be placed
    masking              sensitive values replaced by `***`
    windows_paths        paths of Windows, and when two are the same
    files                file entries of all layers -> FileSpecs
    exposure             files with a secret that are open to more than their owner
    systemd_lint         handlers that may wait for themselves
    schema               JSON Schema: of documents, and of the image's values
    model                the classes of the resulting configuration

Pure: it reads no file, no clock, no network and no environment. What it needs is passed in.
"""
