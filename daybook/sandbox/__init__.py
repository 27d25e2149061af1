"""A Xero organisation on this machine: rules, limits and faults over HTTP. Shares no code with the client."""
