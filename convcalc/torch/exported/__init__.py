"""Files of torch.export: their graph as a tape, read without torch; nothing in them is unpickled or run."""

from .load import load_exported

__all__ = ["load_exported"]
