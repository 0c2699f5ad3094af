"""Humaans (docs.humaans.io/api). One file a resource; `connector` is the declaration that joins them."""
