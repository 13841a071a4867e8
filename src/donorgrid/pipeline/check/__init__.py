"""Checking adapters: from what a user names to judged answers.

In the order of the work:

- ``command_line.py``, ``check_file.py``: flags over the keys of a YAML file
- ``request.py``: what is to be checked, as one record, and the result
- ``run_check.py``: the command, step by step
- ``targets.py``: tasks, presets and data files become targets with items
- ``target_references.py``: patterns, presets, and a name of its own for each
- ``data_rows.py``, ``prompts.py``: rows of a plain data file; prompts without a right answer
- ``subjects.py``: the base, and the adapters, checkpoints and revisions to compare with it
- ``strengths.py``: the same at several strengths
- ``adapter_fit.py``: whether an adapter fits the base
- ``answer_cache.py``: item answers, from the cache or from a model session
- ``common_items.py``: the items that everybody answered
- ``target_answers.py``: item answers become what ``donorgrid.check`` judges
- ``reply_targets.py``: replies to prompts become such targets, by language and all together
- ``reply_checks.py``: which checks a prompt allows; JSON schemas and languages of replies
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
