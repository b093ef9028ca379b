"""What layers are in Keras's words, a file a family; `keras_layers.py` has the table of all."""
