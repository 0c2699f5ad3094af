"""The unified contract: each resource with its fields, types and enums, and the operations on them."""
