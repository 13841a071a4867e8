"""The words of the pocket world in eleven languages.

All text is records (``label: name``), never sentences, so no name needs inflection, an article or agreement.
"""

from dataclasses import dataclass
from typing import Literal

LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")
"""CLDR locale identifiers, also the languages of the reference study."""

Kind = Literal["territory", "continent", "currency", "language", "place"]


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One language: the label of each kind, the question for it, the colon, and what separates two records."""

    labels: dict[Kind, str]
    which: dict[Kind, str]
    colon: str = ":"
    stop: str = ". "

    def field(self, kind: Kind) -> str:
        """Returns the label with its colon; a space and a value follow."""
        return self.labels[kind] + self.colon

    def question(self, subject_kind: Kind, subject: str, answer_kind: Kind) -> str:
        """Returns the question of a test item, which a value continues: ``Territory: Kenya. Continent:``."""
        return self.record(subject_kind, subject) + self.field(answer_kind)

    def record(self, kind: Kind, name: str) -> str:
        """Returns one record, which another may follow: ``Territory: Kenya. ``."""
        return f"{self.field(kind)} {name}{self.stop}"


_KINDS: tuple[Kind, ...] = ("territory", "continent", "currency", "language", "place")


def _wording(labels: str, which: str, *, colon: str = ":", stop: str = ". ") -> Wording:
    split = [dict(zip(_KINDS, text.split(" | "), strict=True)) for text in (labels, which)]
    return Wording(labels=split[0], which=split[1], colon=colon, stop=stop)


WORDINGS: dict[str, Wording] = {
    "ar": _wording(
        "الإقليم | القارة | العملة | اللغة الرسمية الرئيسية | المكان",
        "أي إقليم؟ | أي قارة؟ | أي عملة؟ | أي لغة رسمية؟ | أي مكان؟",
    ),
    "bn": _wording(
        "অঞ্চল | মহাদেশ | মুদ্রা | প্রধান সরকারি ভাষা | স্থান",
        "কোন অঞ্চল? | কোন মহাদেশ? | কোন মুদ্রা? | কোন সরকারি ভাষা? | কোন স্থান?",
        stop="। ",
    ),
    "de": _wording(
        "Gebiet | Kontinent | Währung | Wichtigste Amtssprache | Ort",
        "Welches Gebiet? | Welcher Kontinent? | Welche Währung? | Welche Amtssprache? | Welcher Ort?",
    ),
    "en": _wording(
        "Territory | Continent | Currency | Main official language | Place",
        "Which territory? | Which continent? | Which currency? | Which official language? | Which place?",
    ),
    "es": _wording(
        "Territorio | Continente | Moneda | Principal idioma oficial | Lugar",
        "¿Qué territorio? | ¿Qué continente? | ¿Qué moneda? | ¿Qué idioma oficial? | ¿Qué lugar?",
    ),
    "fr": _wording(
        "Territoire | Continent | Monnaie | Principale langue officielle | Lieu",
        "Quel territoire ? | Quel continent ? | Quelle monnaie ? | Quelle langue officielle ? | Quel lieu ?",
        colon=" :",
    ),
    "hi": _wording(
        "क्षेत्र | महाद्वीप | मुद्रा | मुख्य आधिकारिक भाषा | स्थान",
        "कौन-सा क्षेत्र? | कौन-सा महाद्वीप? | कौन-सी मुद्रा? | कौन-सी आधिकारिक भाषा? | कौन-सा स्थान?",
        stop="। ",
    ),
    "id": _wording(
        "Wilayah | Benua | Mata uang | Bahasa resmi utama | Tempat",
        "Wilayah mana? | Benua mana? | Mata uang apa? | Bahasa resmi apa? | Tempat mana?",
    ),
    "it": _wording(
        "Territorio | Continente | Valuta | Principale lingua ufficiale | Luogo",
        "Quale territorio? | Quale continente? | Quale valuta? | Quale lingua ufficiale? | Quale luogo?",
    ),
    "pt": _wording(
        "Território | Continente | Moeda | Principal língua oficial | Lugar",
        "Qual território? | Qual continente? | Qual moeda? | Qual língua oficial? | Qual lugar?",
    ),
    "zh": _wording(
        "地区 | 大洲 | 货币 | 主要官方语言 | 地点",
        "哪个地区? | 哪个大洲? | 哪种货币? | 哪种官方语言? | 哪个地点?",
        stop="。",
    ),
}
