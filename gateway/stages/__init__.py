"""The stages of a request, one module each: a function from what the stage before established to what it establishes.

`gateway.pipeline` puts them in order.
"""
