"""The JSON Schemas that documents and values are held against.

values     the image owner's schema for values, fit for use
validator  JSON Schema, offline
messages   a schema's complaints in plain words
lookup     what a JSON Schema says about a path: types, names, what is hidden
"""
