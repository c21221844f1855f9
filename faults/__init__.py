"""Fault runs: a gateway as a user starts it, load from outside, one fault, and what came of every message.

`python -m faults` runs them, `python -m faults.soak` the long run; docs/faults.md says what is promised.
"""
