"""Make the built-in numbers of advice from result tables: how much cells vary, by part of source and target.

    python benchmarks/advice_defaults.py TABLE... > src/donorgrid/advise/default_numbers.yaml

The released tables of the models that are named in the file were used (CC BY 4.0; docs/results/advice.md).
"""

import sys
from pathlib import Path

import numpy as np
import yaml

from donorgrid.advise.similar_languages import similar_languages
from donorgrid.pipeline.advise.known_cells import known_deltas, read_cells
from donorgrid.statistics.transfer_model.defaults import defaults_of
from donorgrid.statistics.transfer_model.fitting import fit_model
from donorgrid.statistics.transfer_model.knowledge import gather_knowledge
from donorgrid.statistics.transfer_model.source_covariances import COMPONENTS


def main(paths: list[Path]) -> None:
    knowledge = gather_knowledge(known_deltas(read_cells(paths), without=None))
    defaults = defaults_of(fit_model(knowledge, similarity=similar_languages(knowledge.languages)))
    numbers = {
        "models": list(defaults.models),
        "components": [f"{reach}, {part} of the source" for reach, part in COMPONENTS],
        "log_variances": {part: _rounded(values) for part, values in defaults.log_variances.items()},
        "log_variance_sd": {part: _rounded(values) for part, values in defaults.log_variance_sd.items()},
        **{
            name: round(float(getattr(defaults, name)), 4)
            for name in (
                "log_scale",
                "log_scale_sd",
                "degrees",
                "task_log_sd",
                "trained_gain",
                "trained_gain_variance",
            )
        },
    }
    print("# Made by benchmarks/advice_defaults.py. Deltas were divided by the scales of model and target.")
    print(yaml.safe_dump(numbers, sort_keys=False, width=118), end="")


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 3) for value in values]


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
