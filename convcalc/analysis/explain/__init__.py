"""Every figure of a layer, a group or a network as its formula with the numbers in it."""
