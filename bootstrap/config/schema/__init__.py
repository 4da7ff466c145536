"""The JSON Schemas by which documents and values are checked.

values     the image owner's schema for values, checked before use
validator  JSON Schema, offline
messages   the errors of a schema in plain words
lookup     what a JSON Schema says about a path: types, names, what is hidden
"""
