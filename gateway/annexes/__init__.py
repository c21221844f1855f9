"""The annexes of this gateway: from a proposal to what is in force in every worker."""
