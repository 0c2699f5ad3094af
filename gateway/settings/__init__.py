"""Settings: every section, and the one place that reads the environment."""
