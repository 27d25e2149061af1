"""How Prefect runs one step: retries, timeouts, names. Each task calls one job."""
