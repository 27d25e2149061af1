"""`make demo`: every process Daybook needs on one machine, and the main job run on it."""
