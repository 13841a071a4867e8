"""The sections of the page in reading order."""

from donorgrid.report.head import ReportHead
from donorgrid.report.sections import advice, further, main, models
from donorgrid.report.sections.dose import dose_section
from donorgrid.report.sections.section import Section, Tables


def sections(tables: Tables, head: ReportHead) -> tuple[Section, ...]:
    """Every section whose tables are there and not empty."""
    made = (
        main.regimes_section(tables),
        dose_section(tables),
        main.matrix_section(tables, head),
        main.roles_section(tables, head),
        main.pairs_section(tables, head),
        main.pareto_section(tables, head),
        advice.sources_section(tables),
        further.noise_section(tables),
        models.baselines_section(tables),
        advice.specific_section(tables),
        further.variance_section(tables),
        further.consistency_section(tables),
        models.agreement_section(tables),
        further.linguistic_section(tables),
        further.coverage_section(tables),
        further.failures_section(head),
    )
    return tuple(section for section in made if section is not None)
