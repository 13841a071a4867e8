"""A study in Python, on the built-in pocket world: which language to train 'currency' on, and what it takes."""

import sys

import polars as pl

import donorgrid as dg

STUDY = {
    "models": ["pocket"],
    "tasks": ["currency", "language"],
    "languages": ["de", "en", "id"],
    "recipes": {"pocket": "pocket"},
    "train_seeds": [17],
    "limits": {"train_items": 60, "test_items": 60},
}


def main(folder: str) -> None:
    """Run the study into ``folder`` and print who gives and who takes."""
    file = dg.init_study(f"{folder}/study.yaml", study=STUDY)
    dg.run_study(file, on_progress=print)
    tables = dg.analyse_study(file).tables
    print(tables["regimes"].select("regime", "n", "mean_pp", "harm_rate"))
    donors = tables["roles_language"].sort("donor_pp", descending=True, nulls_last=True)
    print(donors.select("language", "donor_pp", "recipient_pp"))
    harmed = tables["cells"].filter(pl.col("verdict") == "harmed")
    print(f"{harmed.height} cells are harmed beyond the limit; report: {dg.report_study(file)}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "currency-study")
