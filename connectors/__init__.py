"""What we know of vendors, as values. Standard library only; ignorant of the gateway and of HTTP libraries."""
