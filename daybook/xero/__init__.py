"""The Xero API: calls, OAuth, limits, and the wire format of documents."""
