"""`POST /unified/proxy`: a call passed through to the vendor, within the rules."""
