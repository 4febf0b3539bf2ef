"""Names for the array types of this package.

Time runs down the first axis and series across the second everywhere, so that one scrape is one row and
numpy's accumulations along time work on whole rows at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
