"""HTTP, whatever it is about: middleware, requests, responses, content codings, pages."""
