"""Label matchers: `=`, `!=`, `=~`, `!~` over columns of label codes.

Regular expressions are anchored at both ends as in Prometheus. They are Python's, not RE2: the common subset
behaves alike, and what Python refuses is refused as bad data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from opsroom.simulator.prometheus.arrays import Bools, Ints
from opsroom.simulator.prometheus.failures import BadData
from opsroom.simulator.prometheus.labels import Texts


class Op(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    UNEQUAL = "!="
    MATCH = "=~"
    NO_MATCH = "!~"


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """The compiled expression; raises BadData when Python cannot compile it."""
    try:
        return re.compile(text)
    except re.error as cause:
        raise BadData(f"error parsing regexp: {cause}: `{text}`") from cause


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    name: str
    op: Op
    value: str

    def matches(self, text: str) -> bool:
        """Whether one label value (empty: the label is not there) fulfils the condition."""
        if self.op in (Op.EQUAL, Op.UNEQUAL):
            return (text == self.value) == (self.op is Op.EQUAL)
        return (pattern(self.value).fullmatch(text) is not None) == (self.op is Op.MATCH)

    def accepts(self, codes: Ints, texts: Texts) -> Bools:
        """The same for a column of codes, each distinct value looked at once."""
        if self.op in (Op.EQUAL, Op.UNEQUAL):
            code = texts.known(self.value)
            same: Bools = codes == (-1 if code is None else code)
            return same if self.op is Op.EQUAL else ~same
        distinct, inverse = np.unique(codes, return_inverse=True)
        fits = np.array([self.matches(texts.text(code)) for code in distinct.tolist()], dtype=np.bool_)
        accepted: Bools = fits[inverse.reshape(-1)]
        return accepted
