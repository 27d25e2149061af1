"""Daybook: a chain's sales and expenses into Xero, exactly once, to the cent, visibly."""
