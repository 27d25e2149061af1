"""Adapters for expense sources: what was spent, and the receipts that belong to it."""
