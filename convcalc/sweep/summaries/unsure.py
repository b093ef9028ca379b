"""What is not settled by summaries."""


class Unsure(Exception):
    """The whole network has to be looked at."""
