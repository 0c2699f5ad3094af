"""What the gateway does: pure logic and the doors it needs. Knows no web, HTTP client, store or vendor."""
