"""The dashboard: pages for the operator, closed unless a password is set, and for nobody who has not signed in."""
