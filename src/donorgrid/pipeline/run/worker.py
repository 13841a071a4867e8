"""One process's share of a study: claim a subject, train it if need be, score what is missing, write, go on."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import polars as pl
import torch

from donorgrid.core.errors import RunFailure, StoreError
from donorgrid.core.names import subject_name
from donorgrid.core.records import Baseline, Prompted, Recipe, Run, Subject
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.ledger import Ledger, Standing, subjects_of_shard
from donorgrid.pipeline.run.options import WorkerOptions
from donorgrid.pipeline.session.model_session import Resident
from donorgrid.store.adapters import Stamp, drop_adapter, read_stamp
from donorgrid.store.answers import AnswersFooter, read_answers, write_answers
from donorgrid.store.claims import Claim, heartbeat, try_claim
from donorgrid.store.logs import Failure, note_failure, read_failures

_POLL_S = 0.5


class Worker:
    """Does a study's work, subject by subject, until none is left that it may do."""

    def __init__(
        self, prepared: Prepared, plan: WorkPlan, options: WorkerOptions, on_done: Callable[[], object]
    ) -> None:
        self._prepared = prepared
        self._folder = prepared.folder
        self._options = options
        self._on_done = on_done
        self._plan = plan
        self._ledger = Ledger(self._plan, prepared.folder)
        self._resident: tuple[str, Resident] | None = None
        self._group_sizes: dict[tuple[str, Recipe], int] = {}

    def run(self) -> int:
        """Work until everything is done, failed, or (in a shard) claimed by others; how many subjects this did.

        Without a shard the process waits for what living processes hold, to take over from one that dies.
        """
        subjects = self._prepared.grid.subjects
        if self._options.shard is not None:
            subjects = subjects_of_shard(subjects, self._options.shard)
        n_done = 0
        for n_claimed in self._claims(subjects):
            n_done += n_claimed
            if self._options.limit is not None and n_done >= self._options.limit:
                break
        return n_done

    def _claims(self, subjects: tuple[Subject, ...]) -> Iterator[int]:
        """Try each open subject in turn, round after round; how many this process did each time."""
        left = subjects
        while left := tuple(subject for subject in left if not self._settled(subject)):
            progress = 0
            for subject in left:
                if self._settled(subject):  # done or failed together with one before it
                    continue
                worked = self._try(self._neighbours(subject, subjects))
                progress += worked
                yield worked
            if not progress:
                if self._options.shard is not None:
                    return
                time.sleep(_POLL_S)

    def _settled(self, subject: Subject) -> bool:
        noted = read_failures(self._folder)
        failed = bool(noted) and self._plan.failure_key(subject) in noted
        return failed or self._ledger.standing(subject).done

    def _neighbours(self, subject: Subject, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
        """The subject and the runs that are trained together with it: always the same ones, by their place.

        Checkpoints of one training stand together.
        """
        if not isinstance(subject, Run):
            return (subject,)
        alike = [one for one in subjects if isinstance(one, Run) and _trains_alike(one, subject)]
        courses = list(dict.fromkeys(one.course for one in alike))
        size = self._group_size(subject)
        first = courses.index(subject.course) // size * size
        return tuple(one for one in alike if one.course in courses[first : first + size])

    def _group_size(self, run: Run) -> int:
        wanted = self._options.together
        if wanted is not None or self._options.device == "cpu":
            return 1 if wanted is None or run.recipe.trains_alone else wanted
        key = (run.model, run.recipe)
        if key not in self._group_sizes:
            self._group_sizes[key] = self._resident_for(run.model).best_group(run)
        return self._group_sizes[key]

    def _try(self, subjects: tuple[Subject, ...]) -> int:
        """Do those of the subjects that are open and that no living process holds; how many that were."""
        with ExitStack() as held:
            mine = []
            for key, members in _by(self._plan.claim_key, subjects).items():
                claim = try_claim(self._folder, key)
                if claim is None:
                    continue
                held.callback(claim.release)
                # Another process may have finished them between our look and our claim.
                left = [one for one in members if not self._settled(one)]
                if left:
                    held.enter_context(heartbeat(claim))
                    mine += [(one, claim) for one in left]
            self._train([subject for subject, _ in mine if isinstance(subject, Run)])
            for subject, claim in mine:
                if not self._settled(subject):
                    self._guard([subject], partial(self._finish, subject, claim))
                self._on_done()
            return len(mine)

    def _train(self, runs: list[Run]) -> None:
        """Train those that have no adapter yet at once; a failure is noted for the run and all its checkpoints."""
        missing = {run: self._plan.training_keys[subject_name(run)] for run in runs if self._stamp(run) is None}
        if missing:
            self._guard(list(missing), lambda: self._note_failures(self._resident_for(runs[0].model).train(missing)))

    def _note_failures(self, trained: Mapping[Run, Stamp | RunFailure]) -> None:
        for run, result in trained.items():
            if isinstance(result, RunFailure):
                self._note(run, str(result))

    def _guard(self, subjects: Sequence[Subject], work: Callable[[], None]) -> None:
        """Do some work on these subjects; a failure of the work itself is noted for them, and the others go on."""
        try:
            work()
        except (RunFailure, torch.OutOfMemoryError) as error:
            reason = str(error)
        except RuntimeError as error:  # what torch raises when a network cannot compute
            reason = f"{type(error).__name__}: {error}"
        else:
            return
        for subject in subjects:
            self._note(subject, reason)

    def _note(self, subject: Subject, reason: str) -> None:
        run = subject if isinstance(subject, Run) else None
        draw_seed = subject.draw_seed if isinstance(subject, Prompted) else None
        failure = Failure(
            key=self._plan.failure_key(subject),
            model=subject.model,
            source=None if isinstance(subject, Baseline) else subject.source.name,
            recipe=run.recipe.name if run else None,
            train_seed=run.train_seed if run else draw_seed,
            checkpoint=run.checkpoint if run else None,
            reason=(reason.splitlines() or ["no reason given"])[0],
        )
        note_failure(self._folder, failure)

    def _finish(self, subject: Subject, claim: Claim) -> None:
        resident = self._resident_for(subject.model)
        adapter, stamp = None, None
        if isinstance(subject, Run):
            adapter, stamp = self._folder.adapter(subject), self._stamp(subject)
            if stamp is None and not claim.still_ours():
                return  # another process took the work over while this one slept, and finished it
            if stamp is None:
                raise StoreError(f"{adapter}: the adapter is gone before it was scored; run again")
        standing = self._ledger.standing(subject, adapter_digest=stamp.digest if stamp else None)
        if standing.missing and claim.still_ours():
            examples = self._prepared.examples[subject] if isinstance(subject, Prompted) else ()
            scored = resident.score(standing.missing, adapter, examples=examples)
            if claim.still_ours():
                self._write(standing, scored, stamp)
        if isinstance(subject, Run) and not self._plan.keeps(subject):
            drop_adapter(self._folder.adapter(subject))

    def _stamp(self, run: Run) -> Stamp | None:
        """The stamp of the run's adapter; None when the folder holds none, or another training's."""
        stamp = read_stamp(self._folder.adapter(run))
        return stamp if stamp is not None and stamp.training_key == self._plan.training_key(run) else None

    def _write(self, standing: Standing, scored: pl.DataFrame, stamp: Stamp | None) -> None:
        """Write the subject's answers whole: the rows that still hold, then the new ones."""
        path = self._folder.items(standing.subject)
        keys = {cell: key for cell, key in standing.valid_keys.items() if cell not in map(str, standing.missing)}
        digest = stamp.digest if stamp else None
        for target in standing.missing:
            keys[str(target)] = self._plan.scoring_key(standing.subject, target, digest)
        frames = [scored]
        if standing.valid_keys:
            former = read_answers(path)
            still = pl.concat_str("target_task", "target_language", separator="/").is_in(list(standing.valid_keys))
            frames.insert(0, former.filter(still))
        footer = AnswersFooter(
            training_key=stamp.training_key if stamp else None,
            adapter_digest=digest,
            scoring_keys=keys,
            examples_key=self._plan.examples_key(standing.subject),
        )
        write_answers(path, pl.concat(frames), footer)

    def _resident_for(self, model: str) -> Resident:
        if self._resident is None or self._resident[0] != model:
            self._resident = None  # free the former model before the next one is loaded
            self._resident = (model, Resident(self._prepared, model, device=self._options.device))
        return self._resident[1]


def _by(key: Callable[[Subject], str], subjects: Iterable[Subject]) -> dict[str, list[Subject]]:
    found: dict[str, list[Subject]] = {}
    for subject in subjects:
        found.setdefault(key(subject), []).append(subject)
    return found


def _trains_alike(one: Run, other: Run) -> bool:
    """Whether two runs may share their steps: one base model, one recipe, as many texts."""
    return (one.model, one.recipe, one.train_size) == (other.model, other.recipe, other.train_size)
