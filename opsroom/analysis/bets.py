"""Betting on harm: one step's likelihood ratios, mixed over sizes of harm and over the moment it began.

With restarts at rate w the wealth of one bet is E <- ((1 - w) E + w) L: the likelihood ratio of "harm of this size
began at some earlier step, each step equally likely" against "none". Its mean under no harm is 1 at every step, so
Markov's inequality bounds P(E > c) by 1/c whatever was looked at before. It must not know what is bet on.
"""

from __future__ import annotations

import numpy as np

from opsroom.analysis.window import Floats

CEILING = 1e15
FLOOR = 1e-3


def grow(wealth: Floats, gain: Floats, restart: Floats) -> None:
    """Play one step in place: a part ``restart`` of ``wealth`` is staked anew, then all of it times exp(``gain``)."""
    wealth *= 1.0 - restart
    wealth += restart
    wealth *= np.exp(gain)
    np.minimum(wealth, CEILING, out=wealth)


def odds(wealth: Floats) -> Floats:
    """The wealth averaged over the bets (first axis): odds of harm against none, never quite 0."""
    found: Floats = wealth.mean(axis=0)
    found += FLOOR
    return found
