"""Daybook: a chain's daily sales and its staff's expenses into Xero, exactly once, to the cent, visibly."""
