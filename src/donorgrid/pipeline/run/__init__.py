"""Running a study: what is left of its work is trained and scored.

In the order of the work:

- ``options.py``: what a user chooses, and what each process is told
- ``run_study.py``: the commands ``run`` and ``demo``, step by step
- ``earlier_versions.py``: what another version of donorgrid wrote, before it is done again
- ``healing.py``: what is damaged, before it is done again
- ``work_sizes.py``: how much work each subject is
- ``work_meter.py``: what the processes have in hand, and how long the rest takes
- ``progress.py``: how far a study is
- ``jobs.py``: the work, in one process or several
- ``processes.py``: several processes, and how they end
- ``server_lifetime.py``: ends the server that they are forked off
- ``worker.py``: the loop of one process over the subjects that it claims
- ``ledger.py``: what is done and what is missing, by the files on disk
- ``subject_work.py``: the work on one subject: train, score, write
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
