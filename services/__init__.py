"""One package per SOAP service; `services.registry` finds them.

A service holds its Spyne declaration, its operations, its reply and its repository port. It knows no XML, no SQL
and no annex: it receives values and returns values.
"""
