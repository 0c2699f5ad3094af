"""How Humaans is written to, one file a resource: the table of a body, and the calls that it takes."""
