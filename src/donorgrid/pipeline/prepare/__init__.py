"""From a study file to everything that its work needs. Nothing here loads a model's weights.

In the order of the work:

- ``new_study.py``: writes a study file to start from
- ``inventory.py``: the tasks, items and models that there are; fetching those of a study
- ``study.py``: the study made ready, in the three steps that follow
- ``study_grid.py``, ``study_items.py``, ``study_models.py``: its tasks and grid, its items, its base models
- ``work_keys.py``: the keys of its work
- ``study_files.py``: ``study.yaml`` and ``plan.json`` in its folder
- ``text_encoding.py``, ``training_tokens.py``: how training texts become tokens, and where the scorer reads others
- ``tokenizers.py``: the longest input of a model, and what is cut; ``token_view.py``: its tokens by name
- ``token_counts.py``, ``few_shot_counts.py``: what a tokenizer makes of its texts
- ``notes.py``: what its reader should know
- ``manifest.py``: what a run was made of
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
