"""Keras in: a model's configuration as a network of the language, without Keras and without its weights."""

from .load import Subclassed, load_keras, loads_keras

__all__ = ["Subclassed", "load_keras", "loads_keras"]
