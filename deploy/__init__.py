"""Everything around the gateway: sandbox, `make run`, images. Imports neither `gateway` nor `connectors`."""
