"""How the gateway reaches the outside: one outside thing a file. Nothing here knows `gateway.web`."""
