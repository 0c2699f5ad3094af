"""The commands of an operator. `gateway.__main__` parses the arguments and runs them."""
