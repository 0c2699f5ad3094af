"""The demo company: real people of 2022 and generated ones, always the same for seed, size and day."""
