"""ONNX in: a file's graph as a network of the language, without its weights."""

from .load import load_onnx

__all__ = ["load_onnx"]
