"""Whether a deployment is as it should be: one small check for each promise, and what to mend where one is broken."""
