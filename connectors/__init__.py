"""What is known of vendors, as values. Uses the standard library only, and imports nothing of the gateway."""
