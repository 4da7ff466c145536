"""The filters that templates have beside Jinja's own, by subject."""
