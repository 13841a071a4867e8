"""The two sides of the heat map: the positions of rows and columns, and the labels next to them, in SVG units."""

from dataclasses import dataclass

from donorgrid.report.figures.heatmap.lines import Line, bands

CELL, GAP = 16, 4
_LETTER_WIDTH, _LINE_HEIGHT = 5.8, 12
_SHORT_LABEL, _LONGEST_LABEL = 2, 16
_SMALLEST_BAND = 3


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text at ``at``, the middle of the line or band that it names; ``full`` is the whole name."""

    at: float
    text: str
    full: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """The rows or the columns, in SVG units.

    Attributes
    ----------
    starts
        The start of each line.
    labels, band_labels
        The labels of lines, and those of bands (one or two texts each).
    separators
        Positions of the lines between bands.
    label_size, band_size
        Room for the labels of lines and of bands.
    length
        From the first cell to the end of the last.
    vertical
        Whether column labels are written vertically.
    """

    starts: tuple[int, ...]
    labels: tuple[Label, ...]
    band_labels: tuple[tuple[Label, ...], ...]
    separators: tuple[float, ...]
    label_size: int
    band_size: int
    length: int
    vertical: bool

    @property
    def header(self) -> int:
        """Room before the first cell."""
        return self.label_size + self.band_size


def side(lines: tuple[Line, ...], *, may_be_vertical: bool) -> Side:
    """Lays out rows or columns.

    Parameters
    ----------
    lines
        The rows or the columns.
    may_be_vertical
        True for columns: labels longer than two characters are written vertically.

    Returns
    -------
    Side
        If a task has too few lines for its name, every line carries its full name and bands have no label.
    """
    groups = bands(lines)
    tasks = {line.band for line in lines if line.task is not None}
    full_names = any(group.size < _SMALLEST_BAND for group in groups if group.name in tasks)
    starts = [0] * len(lines)
    band_labels, separators, offset = [], [], 0
    for group in groups:
        if group.first:
            separators.append(offset + GAP / 2 - 0.5)
            offset += GAP
        for index in range(group.first, group.first + group.size):
            starts[index] = offset
            offset += CELL
        if group.name in tasks and not full_names:
            band_labels.append(_band_label(group.name, offset - CELL * group.size, CELL * group.size))
    texts = [_shortened(line.name if full_names else line.label, _LONGEST_LABEL) for line in lines]
    longest = max(len(text) for text in texts)
    vertical = may_be_vertical and longest > _SHORT_LABEL
    return Side(
        starts=tuple(starts),
        labels=tuple(
            Label(at=start + (CELL - 1) / 2, text=text, full=line.name)
            for start, text, line in zip(starts, texts, lines, strict=True)
        ),
        band_labels=tuple(band_labels),
        separators=tuple(separators),
        label_size=_LINE_HEIGHT + 2 if may_be_vertical and not vertical else round(_LETTER_WIDTH * longest) + 6,
        band_size=_LINE_HEIGHT * max(map(len, band_labels), default=0) + (2 if band_labels else 0),
        length=offset,
        vertical=vertical,
    )


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _band_label(name: str, start: int, size: int) -> tuple[Label, ...]:
    """A band's name as one or two texts that fit into its size."""
    room = max(2, int(size / _LETTER_WIDTH))
    texts = [name]
    if len(name) > room:
        cut = max((index + 1 for index, character in enumerate(name[:room]) if character in "_-. "), default=room)
        texts = [name[:cut], name[cut:]]
    return tuple(Label(at=start + size / 2, text=_shortened(text, room), full=name) for text in texts)
