"""One process's share of a study: claim a subject, train it if need be, score what is missing, write, go on."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch

from donorgrid.core.errors import RunFailure
from donorgrid.core.names import subject_name
from donorgrid.core.records import Recipe, Run, Subject
from donorgrid.pipeline.ledger import Ledger, Standing, subjects_of_shard
from donorgrid.pipeline.prepare import Prepared
from donorgrid.pipeline.resident import Resident
from donorgrid.pipeline.workplan import make_workplan
from donorgrid.store.adapters import Stamp, drop_adapter, read_stamp
from donorgrid.store.answers import AnswersFooter, read_answers, write_answers
from donorgrid.store.claims import Claim, heartbeat, try_claim
from donorgrid.store.logs import Failure, note_failure, read_failures

_POLL_S = 0.5


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """How a process works: its device, its shard (i, n) of the runs, and at most how many subjects it takes.

    ``together``: how many adapters are trained at once. None: one on a CPU, so that a study repeats byte for byte, and
    what a short trial finds fastest on another device.
    """

    device: str = "cpu"
    shard: tuple[int, int] | None = None
    limit: int | None = None
    together: int | None = None


class Worker:
    """Does a study's work, subject by subject, until none is left that it may do."""

    def __init__(self, prepared: Prepared, options: WorkOptions, on_done: Callable[[], object]) -> None:
        self._prepared = prepared
        self._folder = prepared.folder
        self._options = options
        self._on_done = on_done
        self._plan = make_workplan(prepared)
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
                worked = self._try(self._neighbours(subject, subjects))
                progress += worked
                yield worked
            if not progress:
                if self._options.shard is not None:
                    return
                time.sleep(_POLL_S)

    def _settled(self, subject: Subject) -> bool:
        key = self._plan.claim_key(subject)
        return key in read_failures(self._folder) or self._ledger.standing(subject).done

    def _neighbours(self, subject: Subject, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
        """The subject and the runs that are trained together with it: always the same ones, by their place."""
        if not isinstance(subject, Run):
            return (subject,)
        alike = [one for one in subjects if isinstance(one, Run) and _trains_alike(one, subject)]
        size = self._group_size(subject)
        first = alike.index(subject) // size * size
        return tuple(alike[first : first + size])

    def _group_size(self, run: Run) -> int:
        wanted = self._options.together
        if wanted is not None or self._options.device == "cpu":
            return 1 if wanted is None or run.recipe.dropout else wanted
        key = (run.model, run.recipe)
        if key not in self._group_sizes:
            self._group_sizes[key] = self._resident_for(run.model).best_group(run)
        return self._group_sizes[key]

    def _try(self, subjects: tuple[Subject, ...]) -> int:
        """Do those of the subjects that are open and that no living process holds; how many that were."""
        with ExitStack() as held:
            mine = []
            for subject in subjects:
                claim = try_claim(self._folder, self._plan.claim_key(subject))
                if claim is None:
                    continue
                held.callback(claim.release)
                # Another process may have finished it between our look and our claim.
                if not self._settled(subject):
                    held.enter_context(heartbeat(claim))
                    mine.append((subject, claim))
            self._train_together([subject for subject, _ in mine if isinstance(subject, Run)])
            for subject, claim in mine:
                if not self._settled(subject):
                    self._do(subject, claim)
                self._on_done()
            return len(mine)

    def _train_together(self, runs: list[Run]) -> None:
        """Train those that have no adapter yet at once; a failure is noted, and a lone run is left to itself."""
        keys = {run: self._plan.training_keys[subject_name(run)] for run in runs}
        stamps = {run: read_stamp(self._folder.adapter(run)) for run in runs}
        missing = [run for run, stamp in stamps.items() if stamp is None or stamp.training_key != keys[run]]
        if len(missing) > 1:
            resident = self._resident_for(missing[0].model)
            trained = resident.train_together(missing, [keys[run] for run in missing])
            for run, result in zip(missing, trained, strict=True):
                if isinstance(result, RunFailure):
                    self._note(run, str(result))

    def _do(self, subject: Subject, claim: Claim) -> None:
        """Do a subject's work; a failure of the work itself is recorded, and the others go on."""
        try:
            self._finish(subject, claim)
        except (RunFailure, torch.OutOfMemoryError) as error:
            self._note(subject, str(error))
        except RuntimeError as error:  # what torch raises when a network cannot compute
            self._note(subject, f"{type(error).__name__}: {error}")

    def _note(self, subject: Subject, reason: str) -> None:
        run = subject if isinstance(subject, Run) else None
        failure = Failure(
            key=self._plan.claim_key(subject),
            model=subject.model,
            source=run.source.name if run else None,
            recipe=run.recipe.name if run else None,
            train_seed=run.train_seed if run else None,
            reason=(reason.splitlines() or ["no reason given"])[0],
        )
        note_failure(self._folder, failure)

    def _finish(self, subject: Subject, claim: Claim) -> None:
        resident = self._resident_for(subject.model)
        adapter, stamp = None, None
        if isinstance(subject, Run):
            adapter = self._folder.adapter(subject)
            stamp = self._adapter(subject, adapter, resident)
        standing = self._ledger.standing(subject, adapter_digest=stamp.digest if stamp else None)
        if standing.missing and claim.still_ours():
            scored = resident.score(standing.missing, adapter)
            if claim.still_ours():
                self._write(standing, scored, stamp)
        if isinstance(subject, Run) and not self._plan.keeps(subject):
            drop_adapter(self._folder.adapter(subject))

    def _adapter(self, run: Run, path: Path, resident: Resident) -> Stamp:
        """The stamp of the run's adapter, which is trained when the folder holds none, or another training's."""
        key = self._plan.training_keys[subject_name(run)]
        stamp = read_stamp(path)
        return stamp if stamp is not None and stamp.training_key == key else resident.train(run, key)

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
            training_key=stamp.training_key if stamp else None, adapter_digest=digest, scoring_keys=keys
        )
        write_answers(path, pl.concat(frames), footer)

    def _resident_for(self, model: str) -> Resident:
        if self._resident is None or self._resident[0] != model:
            self._resident = None  # free the former model before the next one is loaded
            self._resident = (model, Resident(self._prepared, model, device=self._options.device))
        return self._resident[1]


def _trains_alike(one: Run, other: Run) -> bool:
    """Whether two runs may share their steps: one base model, one recipe, as many texts."""
    return (one.model, one.recipe, one.train_size) == (other.model, other.recipe, other.train_size)
