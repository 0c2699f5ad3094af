"""A caller's request held against the contract: queries and bodies."""
