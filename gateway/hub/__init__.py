"""The Hub: connect sessions for backends, the routes of the Hub component, and our own pages for browsers."""
