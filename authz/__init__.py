"""Pure decisions: who may ask what about whom, under which annex.

No I/O, no XML, no SQL. The gateway gives values in (an annex, a request, the facts of a person, the time) and
gets a value out (Permit or Deny).
"""
