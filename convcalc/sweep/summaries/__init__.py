"""What is known of parts of networks: summaries, put together of those of what is inside, and remembered."""


class Unsure(Exception):
    """Summaries do not settle it: the whole network has to be looked at."""
