"""The rules of User Management, by theme. Each is checked for the commands that `decision.CHECKS` names it for."""
