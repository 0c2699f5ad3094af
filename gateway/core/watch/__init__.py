"""Watching lists of vendors for the product: which records have come, changed and gone."""
