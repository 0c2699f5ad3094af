"""The resources of the API as tables: one row a field, by docs.humaans.io/api and what clients of it read."""
