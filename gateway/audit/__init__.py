"""What the gateway did: one durable, confidential record of every exchange and of every change."""
