"""What is known of parts of networks: summaries, put together of those of what is inside, and remembered."""
