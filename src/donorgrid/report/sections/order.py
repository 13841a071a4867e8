"""The sections of the page in reading order. A new section is a function and a line here."""

from donorgrid.report.head import ReportHead
from donorgrid.report.sections.advice import advice_section
from donorgrid.report.sections.agreement import agreement_section, consistency_section
from donorgrid.report.sections.baselines import baselines_section
from donorgrid.report.sections.doses import doses_section
from donorgrid.report.sections.matrix import matrix_section
from donorgrid.report.sections.missing import coverage_section, failures_section
from donorgrid.report.sections.noise import noise_section
from donorgrid.report.sections.pareto import pareto_section
from donorgrid.report.sections.regimes import regimes_section
from donorgrid.report.sections.roles import pairs_section, roles_section
from donorgrid.report.sections.section import Section, Tables
from donorgrid.report.sections.shared_texts import shared_texts_section
from donorgrid.report.sections.sources import sources_section, specific_section
from donorgrid.report.sections.variance import linguistic_section, variance_section


def sections(tables: Tables, head: ReportHead) -> tuple[Section, ...]:
    """Every section whose tables are there and have rows.

    Parameters
    ----------
    tables
        Table name to table.
    head
        The study behind the tables.

    Returns
    -------
    tuple of Section
        In reading order.
    """
    candidates = (
        advice_section(head.advice),
        regimes_section(tables),
        doses_section(tables),
        matrix_section(tables, head),
        roles_section(tables, head),
        pairs_section(tables, head),
        pareto_section(tables, head),
        sources_section(tables),
        noise_section(tables),
        baselines_section(tables),
        shared_texts_section(tables),
        specific_section(tables),
        variance_section(tables),
        consistency_section(tables),
        agreement_section(tables),
        linguistic_section(tables),
        coverage_section(tables),
        failures_section(head),
    )
    return tuple(section for section in candidates if section is not None)
