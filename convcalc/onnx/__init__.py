"""ONNX in: a file's graph as a network of the language, without its weights."""

from .load import load_onnx
from .opaque import Opaque, plain_as_identity

__all__ = ["Opaque", "load_onnx", "plain_as_identity"]
