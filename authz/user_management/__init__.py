"""User Management: who of which enterprise may reach which secured application, and for whom.

One `EnterpriseAccount` per enterprise, which is the fold of its history (`history.py`) and of nothing else. `decide`
answers a command with events or with the rule that refuses it; `access.check_access` answers whether a user reaches
the data of an entity. Pure: no I/O, no SQL, no XML, no clock.
"""
