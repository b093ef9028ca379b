"""PyTorch in: a run of a model as a tape of calls, and that as a network of the language.

What imports torch stands in `live/`, and only reading a model loads it.
"""
