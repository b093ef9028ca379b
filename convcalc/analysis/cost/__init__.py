"""Work: parameters, MACs and FLOPs, other ways to multiply, and the roofline of a device."""
