"""The composition root: `build` joins all parts, in order; each other file makes the parts of one capability."""
