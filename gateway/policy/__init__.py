"""What a client key and a vendor token may do, and why not: pure decisions from tables."""
