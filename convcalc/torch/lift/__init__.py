"""The lift: a tape of calls becomes layers of the language."""
