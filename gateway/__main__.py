"""`python -m gateway` is `ksz-gateway`."""

from gateway.cli import main

main()
