"""The page of a check."""

from answers_by_hand import target_answers

from donorgrid.check import CheckSettings, judge, render_page

SETTINGS = CheckSettings(limit_pp=1.0)
EVIL = "<script>alert('x')</script>\x1b[2J\u202e&\"\r\n\tend"


def test_the_page_shows_changed_items_side_by_side_and_escapes_everything() -> None:
    texts = [EVIL] * 400
    target = target_answers(
        EVIL, (3, 5), contexts=texts, gold_texts=[EVIL, *["y"] * 399], item_ids=[f"{EVIL}{n}" for n in range(400)]
    )
    page = render_page(judge(EVIL, [EVIL], [target], SETTINGS, notes=[EVIL]), [target])
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    assert not set(page) & {"\x1b", "\u202e", "\r"}
    assert r"\x1b[2J\u202e&amp;" in page
    assert page.count('class="item"') == 8
    assert page.count('<span class="lost">') == 5
    for forbidden in ("http://", "https://", "src=", "@import", "url("):
        assert forbidden not in page


def test_equal_input_gives_equal_bytes_and_an_unchanged_target_is_named() -> None:
    target = target_answers("a/de", (0, 0))
    result = judge("base", ["mine"], [target], SETTINGS)
    assert render_page(result, [target]) == render_page(result, [target])
    assert "the adapter answers every item as the base does" in render_page(result, [target])
