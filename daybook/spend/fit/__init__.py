"""Receipts made to fit: a small, legible, harmless file for every file that can become one.

`fitter` is the door. Everything that opens a file runs in a child process with hard limits
(`child` and what it imports: sniff, images, pdf_*, documents); the parent (`fitter`, `worker`) only
hashes, counts and passes bytes on.
"""
