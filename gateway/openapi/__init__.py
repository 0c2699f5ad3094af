"""The description of the whole HTTP API as an OpenAPI 3.1 document, made from the tables that the gateway runs on."""
