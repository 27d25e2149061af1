"""A Xero organisation on this machine, over HTTP; shares no code with the client."""
