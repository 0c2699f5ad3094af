"""`POST /unified/proxy`: passes a call through to the vendor, under the same rules as the unified API."""
