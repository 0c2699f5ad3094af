"""Record events: vendors' lists are read now and then, and what has changed becomes an event."""
