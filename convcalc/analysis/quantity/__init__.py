"""The registry of quantities: everything that can be asked of a layer, a group or a network."""
