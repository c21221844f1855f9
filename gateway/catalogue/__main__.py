"""Writes the documentation's page of error codes: `python -m gateway.catalogue > docs/errors.md`."""

import sys

from gateway.catalogue import load_catalogue, render_markdown

sys.stdout.buffer.write(render_markdown(load_catalogue()).encode("utf-8"))
