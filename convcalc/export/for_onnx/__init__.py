"""What layers are in ONNX's words, a file a family; `onnx_layers.py` has the table of all."""
