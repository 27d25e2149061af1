"""Facts about expenses, pure: the expense, its states, its attachments. No input, no output."""
