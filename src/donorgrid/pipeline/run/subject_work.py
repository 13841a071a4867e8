"""The work on one claimed subject: train it, score it, write its answers; a failure of the work is recorded."""

from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from donorgrid.core.errors import RunFailure, StoreError
from donorgrid.core.names import subject_name
from donorgrid.core.records import Baseline, Prompted, Run, Subject
from donorgrid.core.system_refusals import is_memory_shortage
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.ledger import Ledger, SubjectStatus
from donorgrid.pipeline.run.work_meter import WorkMeter, empty_row
from donorgrid.pipeline.run.work_sizes import work_sizes
from donorgrid.pipeline.session.study_session import StudySession
from donorgrid.store.adapters import Stamp, drop_adapter, read_stamp
from donorgrid.store.answers import AnswersFooter, read_answers, read_footer, write_answers
from donorgrid.store.claims import Claim
from donorgrid.store.logs import Failure, note_failure


class SubjectWork:
    """Trains and scores subjects of a study on one device. One base model is in memory at a time."""

    def __init__(
        self, prepared: Prepared, plan: WorkPlan, ledger: Ledger, *, device: str, meter: WorkMeter | None = None
    ) -> None:
        self._prepared = prepared
        self._folder = prepared.folder
        self._plan = plan
        self._ledger = ledger
        self._device = device
        self._meter = meter or WorkMeter(empty_row(), work_sizes(prepared))
        self._session: tuple[str, StudySession] | None = None

    def best_group_size(self, run: Run) -> int:
        """How many runs like this one to train at once, by a short trial on this device."""
        return self._session_for(run.model).training.best_group_size(run)

    def train(self, runs: Sequence[Run]) -> None:
        """Train the runs that have no adapter yet, together. A failure is recorded for all that use the training."""
        missing = [run for run in runs if self._stamp(run) is None]
        if missing:
            self._load(missing[0].model)
            with self._meter.doing("training", list(dict.fromkeys(run.as_trained for run in missing))):
                self._record_failures(missing, partial(self._train, missing))

    def score(self, subject: Subject, claim: Claim) -> None:
        """Score a subject on its missing targets and write its answers, unless another process took the claim over.

        Parameters
        ----------
        subject : Subject
            A baseline, a few-shot subject, or a run whose adapter is trained.
        claim : Claim
            The claim that this process holds on it.

        Raises
        ------
        StoreError
            If the adapter of a run is gone.
        """
        self._load(subject.model)
        with self._meter.doing("scoring", [subject]):
            self._record_failures([subject], partial(self._score, subject, claim))

    def _train(self, runs: Sequence[Run]) -> None:
        keys = {run.as_trained: self._plan.training_keys[subject_name(run.as_trained)] for run in runs}
        results = self._session_for(runs[0].model).training.train(keys)
        for run in runs:
            result = results[run.as_trained]
            if isinstance(result, RunFailure):
                self._record_failure(run, str(result))

    def _score(self, subject: Subject, claim: Claim) -> None:
        adapter, stamp, strength = None, None, 1.0
        if isinstance(subject, Run):
            adapter, stamp = self._folder.adapter(subject), self._stamp(subject)
            strength = 1.0 if subject.strength is None else subject.strength
            if stamp is None and not claim.still_ours():
                return  # another process took the work over while this one slept, and finished it
            if stamp is None:
                raise StoreError(f"{adapter}: the adapter is gone before it was scored; run again")
        session = self._session_for(subject.model)
        status = self._ledger.status(subject, adapter_digest=stamp.digest if stamp else None)
        if status.missing and claim.still_ours():
            examples = self._prepared.examples[subject] if isinstance(subject, Prompted) else ()
            session.take_ways()  # forgets those of checks
            answers = session.answers(status.missing, adapter, examples=examples, strength=strength)
            if claim.still_ours():
                self._write(status, answers, stamp, session.take_ways())
        if isinstance(subject, Run) and not self._is_needed(subject) and claim.still_ours():
            drop_adapter(self._folder.adapter(subject))

    def _is_needed(self, run: Run) -> bool:
        """True if the study keeps the run's adapter, or the run at another strength has still to be scored."""
        strengths = (other for other in self._plan.grid.runs if other.as_trained == run.as_trained)
        return self._plan.keeps(run) or any(self._ledger.status(other).missing for other in strengths)

    def _stamp(self, run: Run) -> Stamp | None:
        """The stamp of the run's adapter; None when the folder holds none, or the adapter of another training."""
        stamp = read_stamp(self._folder.adapter(run))
        return stamp if stamp is not None and stamp.training_key == self._plan.training_key(run) else None

    def _write(self, status: SubjectStatus, answers: pl.DataFrame, stamp: Stamp | None, ways: tuple[str, ...]) -> None:
        """Write the subject's answers whole: the rows that are still valid, then the new ones."""
        path = self._folder.items(status.subject)
        missing = {str(target): target for target in status.missing}
        keys = {cell: key for cell, key in status.valid_keys.items() if cell not in missing}
        digest = stamp.digest if stamp else None
        for cell, target in missing.items():
            keys[cell] = self._plan.scoring_key(status.subject, target, digest)
        frames = [answers]
        if status.valid_keys:
            is_valid = pl.concat_str("target_task", "target_language", separator="/").is_in(list(status.valid_keys))
            frames.insert(0, read_answers(path).filter(is_valid))
            former = read_footer(path)
            ways = tuple(sorted({*ways, *(former.computed_by if former else ())}))
        footer = AnswersFooter(
            training_key=stamp.training_key if stamp else None,
            adapter_digest=digest,
            scoring_keys=keys,
            examples_key=self._plan.examples_key(status.subject),
            subject=subject_name(status.subject),
            computed_by=ways,
            trained_by=stamp.computed_by if stamp else (),
        )
        write_answers(path, pl.concat(frames, how="diagonal"), footer)  # older files have fewer columns

    def _record_failures(self, subjects: Sequence[Subject], work: Callable[[], None]) -> None:
        """Do some work on these subjects; a failure of the work itself is recorded for them, and the others go on."""
        try:
            work()
        except RunFailure as error:
            reason, passing = str(error), False
        except (RuntimeError, MemoryError) as error:  # what torch raises when a network cannot compute
            passing = is_memory_shortage(error)
            reason = f"too little memory: {error}" if passing else f"{type(error).__name__}: {error}"
        else:
            return
        for subject in subjects:
            self._record_failure(subject, reason, passing=passing)

    def _record_failure(self, subject: Subject, reason: str, *, passing: bool = False) -> None:
        run = subject if isinstance(subject, Run) else None
        draw_seed = subject.draw_seed if isinstance(subject, Prompted) else None
        failure = Failure(
            key=self._plan.failure_key(subject),
            model=subject.model,
            source=None if isinstance(subject, Baseline) else subject.source.name,
            recipe=run.recipe.name if run else None,
            train_seed=run.train_seed if run else draw_seed,
            checkpoint=run.checkpoint if run else None,
            strength=run.strength if run else None,
            reason=(reason.splitlines() or ["no reason given"])[0],
            passing=passing,
        )
        note_failure(self._folder, failure)

    def _load(self, model: str) -> None:
        """Loads a base model. What fails here is the device's or the model's fault, and no failure of a run."""
        self._session_for(model).load()

    def _session_for(self, model: str) -> StudySession:
        if self._session is None or self._session[0] != model:
            self._session = None  # frees the former model before the next one is loaded
            self._session = (model, StudySession(self._prepared, model, device=self._device))
        return self._session[1]
