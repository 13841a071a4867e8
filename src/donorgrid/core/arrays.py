"""Array types of the analysis, defined once. Shapes stand in docstrings."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
