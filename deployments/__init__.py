"""How Daybook is rolled out; run from a checkout, never installed."""
