"""Who calls: API keys of backends, and the operator who signs in to the dashboard."""
