"""One file per thing the system does: pure rules joined to adapters."""
