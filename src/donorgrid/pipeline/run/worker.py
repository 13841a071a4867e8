"""The loop of one process: claim subjects, have them trained and scored, release the claims, go on."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from donorgrid.core.records import Recipe, Run, Subject
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.ledger import Ledger, subjects_of_shard
from donorgrid.pipeline.run.options import WorkerOptions
from donorgrid.pipeline.run.subject_work import SubjectWork
from donorgrid.pipeline.run.work_meter import WorkMeter
from donorgrid.store.claims import Claim, heartbeat, try_claim
from donorgrid.store.logs import read_failures

_POLL_S = 0.5


class Worker:
    """Does a study's work, subject by subject, until none is left for this process.

    Parameters
    ----------
    prepared : Prepared
        The study.
    plan : WorkPlan
        Its work keys.
    options : WorkerOptions
        Device, shard and limits of this process.
    on_done : callable
        Called after each subject.
    meter : WorkMeter, optional
        Counts the work of this process.
    """

    def __init__(
        self,
        prepared: Prepared,
        plan: WorkPlan,
        options: WorkerOptions,
        on_done: Callable[[], object],
        meter: WorkMeter | None = None,
    ) -> None:
        self._folder = prepared.folder
        self._subjects = prepared.grid.subjects
        if options.shard is not None:
            self._subjects = subjects_of_shard(self._subjects, options.shard)
        self._plan = plan
        self._options = options
        self._on_done = on_done
        self._ledger = Ledger(plan, prepared.folder)
        self._work = SubjectWork(prepared, plan, self._ledger, device=options.device, meter=meter)
        self._group_sizes: dict[tuple[str, Recipe], int] = {}

    def run(self) -> int:
        """Work until every subject is done, has failed, or (in a shard) is claimed by others; the number done here.

        Without a shard the process waits for what living processes hold, to take over from one that dies.
        """
        n_done = 0
        for n_worked in self._rounds():
            n_done += n_worked
            if self._options.limit is not None and n_done >= self._options.limit:
                break
        return n_done

    def _rounds(self) -> Iterator[int]:
        """Go over the open subjects, round after round; yields how many subjects each attempt finished."""
        while open_subjects := [subject for subject in self._subjects if not self._is_finished(subject)]:
            n_worked = 0
            for subject in open_subjects:
                if self._is_finished(subject):  # in a group with an earlier one, or by another process
                    continue
                n_claimed = self._claim_and_work(self._group(subject))
                n_worked += n_claimed
                yield n_claimed
            if not n_worked:
                if self._options.shard is not None:
                    return
                time.sleep(_POLL_S)

    def _is_finished(self, subject: Subject) -> bool:
        """True if a subject is done or has failed."""
        failures = read_failures(self._folder)
        failed = bool(failures) and self._plan.failure_key(subject) in failures
        return failed or self._ledger.status(subject).done

    def _group(self, subject: Subject) -> tuple[Subject, ...]:
        """The subject and the runs that are trained together with it, with all checkpoints of each training.

        Groups depend on the order of the subjects only, so that every process forms the same ones.
        """
        if not isinstance(subject, Run):
            return (subject,)
        runs = [run for run in self._subjects if isinstance(run, Run) and _can_share_steps(run, subject)]
        courses = list(dict.fromkeys(run.course for run in runs))
        size = self._group_size(subject)
        first = courses.index(subject.course) // size * size
        return tuple(run for run in runs if run.course in courses[first : first + size])

    def _group_size(self, run: Run) -> int:
        together = self._options.together
        if together is not None or self._options.device == "cpu":
            return 1 if together is None or run.recipe.trains_alone else together
        key = (run.model, run.recipe)
        if key not in self._group_sizes:
            self._group_sizes[key] = self._work.best_group_size(run)
        return self._group_sizes[key]

    def _claim_and_work(self, subjects: tuple[Subject, ...]) -> int:
        """Work on the open subjects that no living process holds; how many these were."""
        with ExitStack() as claims:
            claimed: list[tuple[Subject, Claim]] = []
            for key, members in self._by_claim(subjects).items():
                claim = try_claim(self._folder, key)
                if claim is None:
                    continue
                claims.callback(claim.release)
                # Another process may have finished them just before the claim.
                still_open = [subject for subject in members if not self._is_finished(subject)]
                if still_open:
                    claims.enter_context(heartbeat(claim))
                    claimed += [(subject, claim) for subject in still_open]
            self._work.train([subject for subject, _ in claimed if isinstance(subject, Run)])
            for subject, claim in claimed:
                if not self._is_finished(subject):
                    self._work.score(subject, claim)
                self._on_done()
            return len(claimed)

    def _by_claim(self, subjects: tuple[Subject, ...]) -> dict[str, list[Subject]]:
        by_claim: dict[str, list[Subject]] = {}
        for subject in subjects:
            by_claim.setdefault(self._plan.claim_key(subject), []).append(subject)
        return by_claim


def _can_share_steps(run: Run, other: Run) -> bool:
    """True if two runs may be trained together: they have one base model, one recipe and as many texts."""
    return (run.model, run.recipe, run.train_size) == (other.model, other.recipe, other.train_size)
