"""Predictions held against what the NumPy reference does: `convcalc verify`.

`confirm` runs a network layer by layer and compares shapes, parameters and executed multiply-accumulates;
`flow` measures how activations and gradients grow or shrink on the way, under the losses of `loss`, and `prediction`
says what theory expects; `comparison` holds variations of a network (`variation`) beside each other, by the `factors`
of the gradient's way back;
`footprint` estimates the memory beforehand; `substitute` finds a smaller input with the same geometry, and
replaces activations. `on_numbers` says what `convcalc explain` prints of a convolution on numbers, which `explained`
holds against the reference; `learning` is what layers learn from each other.
"""
