"""XML without meaning: hardened parsing, the model of the XSDs, validation, and the binding of elements to values."""
