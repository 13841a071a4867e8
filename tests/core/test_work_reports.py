"""Reports of how much is done reach who listens, within the part that is being done."""

from donorgrid.core.work_reports import part_of_work, report_share, reports_to


def test_a_report_counts_within_its_part() -> None:
    heard: list[float] = []
    report_share(0.5)
    with reports_to(heard.append):
        report_share(0.1)
        with part_of_work(0.25, 0.5):
            report_share(0.5)
        report_share(0.8)
    report_share(0.9)
    assert heard == [0.1, 0.5, 0.75, 0.8]


def test_a_part_that_nobody_follows_reports_nothing() -> None:
    with part_of_work(0.0, 1.0):
        report_share(0.5)
