"""What is checked of the packages that the gateway is built on: `make audit-deps`."""
