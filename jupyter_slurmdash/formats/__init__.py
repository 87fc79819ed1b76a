"""Reading text that other people wrote.

YAML, and JSON Schema. The one home of PyYAML and of jsonschema-rs.
"""
