"""How the gateway is: measured by the management process of a node, told by its workers."""
