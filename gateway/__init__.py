"""A self-hosted unified HRIS gateway."""
