"""Random hostile input for everything that reads what others wrote, in process: `python -m fuzz --count 100000`.

An input is a valid one, changed; messages and answers are signed anew, so that many get behind the signature. It is
made from the seed and its number alone: `python -m fuzz --target TARGET --seed SEED --only NUMBER` shows the one that a
finding names.
"""
