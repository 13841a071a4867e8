"""Finds training texts that occur among test items, also under other wording, and the same items in other languages.

Texts are compared by their runs of characters, as benchmarks are cleaned of training data (Brown et al. 2020,
arXiv 2005.14165, appendix C): letters and digits alone, so that wording around a passage does not matter.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from donorgrid.core.records import Cell, CellItems

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


@dataclass(frozen=True, kw_only=True)
class SharedItems:
    """The test items of a target that a source trains on.

    Attributes
    ----------
    source, target
        The cells.
    item_ids
        The IDs of the items.
    n_items
        The number of the target's test items.
    parallel
        False: a training text occurs in the item. True: it occurs in the item of this ID in the source's language.
    """

    source: Cell
    target: Cell
    item_ids: tuple[str, ...]
    n_items: int
    parallel: bool


def shared_items(
    cells: Mapping[Cell, CellItems], *, sources: Sequence[Cell], targets: Sequence[Cell]
) -> tuple[SharedItems, ...]:
    """Find the test items that sources train on.

    Parameters
    ----------
    cells
        The items of all cells.
    sources, targets
        Which of them train, and which are scored.

    Returns
    -------
    tuple of SharedItems
        Pairs of a source and a target that share at least one item. Other languages of a task are parallel by ID.
    """
    index = {target: _Index([item.context for item in cells[target].test]) for target in targets}
    shared: list[SharedItems] = []
    for source in sources:
        prompts = [text.prompt for text in cells[source].train]
        for target in (target for target in targets if target.language == source.language):
            ids = tuple(cells[target].test[number].id for number in index[target].containing(prompts))
            if not ids:
                continue
            n_items = len(cells[target].test)
            shared.append(SharedItems(source=source, target=target, item_ids=ids, n_items=n_items, parallel=False))
            shared += _parallel(cells, shared[-1], targets)
    return tuple(shared)


def _parallel(cells: Mapping[Cell, CellItems], direct: SharedItems, targets: Sequence[Cell]) -> Iterator[SharedItems]:
    """The same items in the other languages of the target's task."""
    known = set(direct.item_ids)
    for target in targets:
        if target.task == direct.target.task and target.language != direct.target.language:
            ids = tuple(item.id for item in cells[target].test if item.id in known)
            if ids:
                n_items = len(cells[target].test)
                yield SharedItems(source=direct.source, target=target, item_ids=ids, n_items=n_items, parallel=True)


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
        direct = [pair for pair in of_pair if not pair.parallel]
        most = max(direct, key=lambda pair: len(pair.item_ids))
        n_parallel = len(of_pair) - len(direct)
        others = (
            f"; the same items in other languages are in {n_parallel} more cell{'' if n_parallel == 1 else 's'}"
            if n_parallel
            else ""
        )
        yield (
            f"training texts of '{source_task}' occur among the test items of '{target_task}' in {len(direct)} "
            f"cell{'' if len(direct) == 1 else 's'}: {most.source} in {len(most.item_ids)} of {most.n_items} items of "
            f"{most.target}, such as '{most.item_ids[0]}'{others}. Gains there may be memory and not transfer"
        )
