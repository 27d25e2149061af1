"""Rules, pure: what a daily total becomes in Xero. One file per thing that is posted."""
