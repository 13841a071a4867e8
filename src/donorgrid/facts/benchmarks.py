"""How the release's multilingual benchmarks were made: by human or by machine translation.

Sources: ARC, HellaSwag and TruthfulQA in other languages are machine translations (Lai et al. 2023, "Okapi", arXiv
2307.16039; the sets published as m_arc, m_hellaswag, m_truthfulqa); Global-MMLU-Lite holds human translations and
post-edits (Singh et al. 2024, "Global MMLU", arXiv 2412.03304). XCOPA (Ponti et al. 2020), XNLI (Conneau et al. 2018),
PAWS-X (Yang et al. 2019), Belebele (Bandarkar et al. 2023), MGSM (Shi et al. 2022), XStoryCloze (Lin et al. 2022) and
SIB-200 (Adelani et al. 2023, on FLORES-200) test parts were translated by people.
"""

TRANSLATIONS = {
    "arc_challenge": "machine",
    "hellaswag": "machine",
    "truthfulqa": "machine",
    "global_mmlu": "human",
    "xcopa": "human",
    "xnli": "human",
    "pawsx": "human",
    "belebele": "human",
    "mgsm": "human",
    "xstorycloze": "human",
    "sib200": "human",
}
"""Task name -> "human" or "machine"."""

N_CHOICES = {
    "arc_challenge": 4,
    "global_mmlu": 4,
    "hellaswag": 4,
    "belebele": 4,
    "xcopa": 2,
    "xstorycloze": 2,
    "xnli": 3,
    "pawsx": 2,
    "sib200": 7,
}
"""Task name -> options per item, where all items have as many (TruthfulQA's differ): chance is one over it."""
