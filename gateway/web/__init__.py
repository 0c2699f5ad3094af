"""How the outside reaches us: HTTP in, HTTP out. Decides nothing and knows no store, vendor client or table."""
