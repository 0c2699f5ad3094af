"""Writes to Humaans, one file for each resource: the table of a body, and the calls that it takes."""
