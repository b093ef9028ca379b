"""PyTorch in: a run of a model as a tape of calls, and that as a network of the language.

No module here imports torch at its top: only reading a model does.
"""
