"""Receptive fields: what every position sees, forwards as intervals and backwards position by position."""
