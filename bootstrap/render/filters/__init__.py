"""The filters that templates have besides Jinja's own, by subject."""
