"""The audit log: who did what to accounts and keys, when, and from where."""
