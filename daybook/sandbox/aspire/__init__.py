"""An Aspire on this machine: its public API over generated accounts, payments and receipts."""
