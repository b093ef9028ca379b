"""Which input sizes build, leave nothing over and keep ratios; the output as a function of the input."""
