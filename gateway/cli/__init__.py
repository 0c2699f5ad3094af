"""The command line: what an operator does. It decides nothing; `gateway.__main__` starts it."""
