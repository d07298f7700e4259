"""What the integration tests run: real brokers, the gateway, real clients, and frames made by hand."""
