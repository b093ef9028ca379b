"""Memory: what is alive at inference, the best order, and what training keeps."""
