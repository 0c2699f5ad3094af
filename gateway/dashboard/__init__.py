"""The dashboard: pages for the operator, closed unless a password is set."""
