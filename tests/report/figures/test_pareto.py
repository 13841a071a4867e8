from itertools import combinations

import polars as pl
from example_tables import example_deltas, example_tables

from donorgrid.report.figures.pareto import _box, panels


def pareto(points: list[tuple[str, float | None, float, bool]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "model": "one",
                "source_task": "t",
                "source_language": name,
                "on_task_pp": x,
                "off_task_pp": y,
                "off_task_harm_rate": 0.1,
                "front": front,
            }
            for name, x, y, front in points
        ]
    )


def test_the_front_is_a_staircase_down_to_the_right() -> None:
    (panel,) = panels(pareto([("a", 0.0, 4.0, True), ("b", 2.0, 2.0, True), ("c", 1.0, 1.0, False)]), ("one",))
    front = {name.text: (name.x, name.y) for name in panel.names}
    (left, top), (right, low) = front["t/a"], front["t/b"]
    assert panel.steps == ((left, top, left, low), (left, low, right, low))
    assert [point.on_front for point in panel.points] == [False, True, True]


def test_points_without_both_values_are_only_in_the_table() -> None:
    (panel,) = panels(pareto([("a", None, 4.0, False), ("b", 2.0, 2.0, True)]), ("one",))
    assert len(panel.points) == 1
    assert panels(pareto([("a", None, 4.0, False)]), ("one",)) == ()


def test_names_do_not_overlap() -> None:
    tables = example_tables(example_deltas(models=("one", "two")))
    crowded = tables["pareto"].with_columns(front=pl.lit(True))
    for panel in panels(crowded, ()):
        boxes = [_box((3.3 * name.x + name.dx, 3.0 * name.y + name.dy), name.anchor, name.text) for name in panel.names]
        assert len(boxes) > 1
        for first, second in combinations(boxes, 2):
            assert first[2] < second[0] or second[2] < first[0] or first[3] < second[1] or second[3] < first[1]
