"""What layers are in PyTorch's words, a file a family; `torch_layers.py` has the table of all."""
