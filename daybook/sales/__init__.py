"""Facts about sales, pure: receipts as frames, business dates, daily totals, control totals."""
