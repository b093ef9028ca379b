"""A design space searched: candidates of a spec's params, variants and inputs, their figures, and the best of them."""
