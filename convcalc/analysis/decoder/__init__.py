"""The decoder that mirrors a network: every layer answered, walking the graph backwards."""
