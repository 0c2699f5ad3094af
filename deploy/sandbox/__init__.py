"""A stand-in for the Humaans public API: one demo company, real tokens' rights, faults on demand.

Written from public documents (docs.humaans.io/api, partners' help pages, committed answers of the real API)
and from nothing of this project's own connector, so that the two can disagree.
"""
