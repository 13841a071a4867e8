"""An imported mix has relative weights."""

from donorgrid.exchange.mapping import MixEntry, source_of


def test_weights_of_an_imported_mix_add_up_to_one() -> None:
    source = source_of(MixEntry(name="both", mix={"quiz/de": 3.0, "quiz/it": 1.0}))
    assert [(str(cell), weight) for cell, weight in source.parts] == [("quiz/de", 0.75), ("quiz/it", 0.25)]
