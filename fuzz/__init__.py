"""Random hostile input for the whole gateway, in process: `python -m fuzz --count 100000`.

An input is a valid request, mutated and signed anew, so that many reach the stages behind the signature. It is made
from the seed and its number alone: `python -m fuzz --seed SEED --only NUMBER` shows the one that a finding names.
"""
