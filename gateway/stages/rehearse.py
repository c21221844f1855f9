"""Rehearse: a dry run ends here, before anything is consulted."""

from gateway.established import Permitted
from gateway.refusal import DryRunEnds


def rehearse(permitted: Permitted) -> Permitted:
    """Let pass what is meant; DryRunEnds for a dry run."""
    if permitted.previous.previous.dry_run:
        raise DryRunEnds
    return permitted
