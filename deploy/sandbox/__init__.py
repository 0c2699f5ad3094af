"""A stand-in for the Humaans public API: one demo company, tokens with real scopes and roles, and faults on demand.

It is written from public documents (docs.humaans.io/api, partners' help pages, published answers of the real API) and
uses nothing of this project's connector, so that each can show mistakes of the other.
"""
