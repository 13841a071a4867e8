"""Finds training texts that occur among test items, also under other wording, and the same items in other languages.

Texts are compared by their runs of characters, as benchmarks are cleaned of training data (Brown et al. 2020,
arXiv 2005.14165, appendix C): letters and digits alone, so that wording around a passage does not matter.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from donorgrid.core.records import Cell, CellItems, SharedItems

_RUN = 24
"""Characters of a run: some four words, or a clause in a script without spaces."""
_ONE_OF = 2
"""One run in so many is compared, the same ones in every text."""
_FORMAT_SHARE = 0.1
"""A run in more than this share of a cell's texts is its format."""
_FEWEST = 3
"""A text with fewer runs of its own is only compared whole."""
_LEAST_SHARE = 0.8
"""The share of a text's own runs that an item must hold."""
_WORDS = re.compile(r"\w+")


def shared_items(
    cells: Mapping[Cell, CellItems], *, sources: Sequence[Cell], targets: Sequence[Cell]
) -> tuple[SharedItems, ...]:
    """Find the test items that sources train on.

    A training text is looked for in the targets of its own language. The other languages of such a target's task hold
    the same items under the same IDs. Within a task, a training item is also in the test of another language if its ID
    is, unless IDs start again in each split.

    Parameters
    ----------
    cells
        The items of all cells.
    sources, targets
        Which of them train, and which are scored.

    Returns
    -------
    tuple of SharedItems
        Pairs of a source and a target that share at least one item, by source.
    """
    search = _Search(cells)
    return tuple(
        SharedItems(
            source=source,
            target=target,
            n_shared=len(ids),
            n_items=len(cells[target].test),
            example=ids[0],
            parallel=target.language != source.language,
        )
        for source in sources
        for target in targets
        if (ids := search.shared_ids(source, target, targets))
    )


class _Search:
    """The indices of the targets, each made once, and what was found in them."""

    def __init__(self, cells: Mapping[Cell, CellItems]) -> None:
        self._cells = cells
        self._indices: dict[Cell, _Index] = {}
        self._holding: dict[tuple[Cell, Cell], set[str]] = {}

    def shared_ids(self, source: Cell, target: Cell, targets: Sequence[Cell]) -> list[str]:
        """The IDs of a target's items that a source trains on, in the order of the items."""
        if target.language == source.language:
            known = self._ids_holding(source, target)
        else:
            in_language = (other for other in targets if (other.task, other.language) == (target.task, source.language))
            known = {item_id for other in in_language for item_id in self._ids_holding(source, other)}
            if target.task == source.task and self._ids_tell(source, target):
                known |= {text.item_id for text in self._cells[source].train}
        return [item.id for item in self._cells[target].test if item.id in known]

    def _ids_holding(self, source: Cell, target: Cell) -> set[str]:
        """The items of a target in the source's language that hold a training text."""
        if (source, target) not in self._holding:
            test = self._cells[target].test
            if target not in self._indices:
                self._indices[target] = _Index([item.context for item in test])
            hits = self._indices[target].containing([text.prompt for text in self._cells[source].train])
            self._holding[source, target] = {test[number].id for number in hits}
        return self._holding[source, target]

    def _ids_tell(self, *cells: Cell) -> bool:
        """True if an ID that is in both splits of a cell means one item; False where no cell has both splits."""
        both = [cell for cell in cells if self._cells[cell].train and self._cells[cell].test]
        recurring = [
            {text.item_id for text in self._cells[cell].train} & {item.id for item in self._cells[cell].test}
            for cell in both
        ]
        return bool(both) and all(
            ids <= self._ids_holding(cell, cell) for cell, ids in zip(both, recurring, strict=True)
        )


class _Index:
    """The runs of a target's items."""

    def __init__(self, contexts: Sequence[str]) -> None:
        self._items_with: dict[int, set[int]] = defaultdict(set)
        self._whole: dict[str, list[int]] = defaultdict(list)
        for number, context in enumerate(map(_letters, contexts)):
            self._whole[context].append(number)
            for run in _runs(context):
                self._items_with[run].add(number)

    def containing(self, prompts: Sequence[str]) -> list[int]:
        """The items that hold most runs of a training text, or are equal to one."""
        texts = [_letters(prompt) for prompt in prompts]
        start, end = _common_start(texts), _common_start([text[::-1] for text in texts])
        runs_of = [_runs(text[start : len(text) - end]) for text in texts]
        counts = Counter(run for runs in runs_of for run in runs)
        format_from = max(_FEWEST, _FORMAT_SHARE * len(texts))
        items: set[int] = set()
        for text, runs in zip(texts, runs_of, strict=True):
            items.update(self._whole.get(text, ()))
            content_runs = [run for run in runs if counts[run] < format_from]
            if len(content_runs) >= _FEWEST:
                hits = Counter(number for run in content_runs for number in self._items_with.get(run, ()))
                items.update(number for number, n_hits in hits.items() if n_hits >= _LEAST_SHARE * len(content_runs))
        return sorted(items)


def _letters(text: str) -> str:
    return "".join(_WORDS.findall(text.casefold()))


def _common_start(texts: Sequence[str]) -> int:
    """The characters that all texts begin with: wording of the format. None where there is only one text."""
    first, last = (min(texts), max(texts)) if len(set(texts)) > 1 else ("", "")
    return next((n for n, (left, right) in enumerate(zip(first, last, strict=False)) if left != right), len(first))


def _runs(text: str) -> set[int]:
    """Numbers for one run in ``_ONE_OF``, chosen by the run itself."""
    hashes = (zlib.crc32(text[start : start + _RUN].encode()) for start in range(len(text) - _RUN + 1))
    return {number for number in hashes if number % _ONE_OF == 0}


def shared_notes(shared: Iterable[SharedItems]) -> Iterator[str]:
    """A line for each pair of tasks whose items are shared."""
    pairs: dict[tuple[str, str], list[SharedItems]] = defaultdict(list)
    for pair in shared:
        pairs[pair.source.task, pair.target.task].append(pair)
    for (source_task, target_task), of_pair in pairs.items():
        direct = [pair for pair in of_pair if not pair.parallel] or of_pair
        most = max(direct, key=lambda pair: pair.n_shared)
        n_parallel = len(of_pair) - len(direct)
        what = "training items (by their IDs)" if most.parallel else "training texts"
        others = f"; the same items in other languages are in {_cells(n_parallel, 'more ')}" if n_parallel else ""
        yield (
            f"{what} of '{source_task}' occur among the test items of '{target_task}' in {_cells(len(direct))}: "
            f"{most.source} in {most.n_shared} of {most.n_items} items of {most.target}, such as '{most.example}'"
            f"{others}. Gains there may be memory and not transfer"
        )


def _cells(number: int, more: str = "") -> str:
    return f"{number} {more}cell{'' if number == 1 else 's'}"
