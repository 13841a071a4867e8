"""Family, branch and main script of common languages: a small table.

Families and branches follow Glottolog's top-level families and customary subgroup names (glottolog.org); scripts are
the default scripts of Unicode CLDR's likely subtags (ISO 15924 codes). Codes are ISO 639-1, ISO 639-3 where there is
no shorter one. Names such as ``zho_Hans`` or ``pt-BR`` are read by their language part.
"""

from typing import NamedTuple


class Language(NamedTuple):
    """What is known of a language: its family, its branch within the family, and the ISO 15924 code of its script."""

    family: str
    branch: str
    script: str


_ROWS = """
af Indo-European Germanic Latn
am Afro-Asiatic Semitic Ethi
ar Afro-Asiatic Semitic Arab
as Indo-European Indo-Aryan Beng
az Turkic Oghuz Latn
be Indo-European Slavic Cyrl
bg Indo-European Slavic Cyrl
bn Indo-European Indo-Aryan Beng
bs Indo-European Slavic Latn
ca Indo-European Romance Latn
ceb Austronesian Philippine Latn
cs Indo-European Slavic Latn
cy Indo-European Celtic Latn
da Indo-European Germanic Latn
de Indo-European Germanic Latn
el Indo-European Hellenic Grek
en Indo-European Germanic Latn
es Indo-European Romance Latn
et Uralic Finnic Latn
eu Basque Basque Latn
fa Indo-European Iranian Arab
fi Uralic Finnic Latn
fil Austronesian Philippine Latn
fr Indo-European Romance Latn
ga Indo-European Celtic Latn
gl Indo-European Romance Latn
gu Indo-European Indo-Aryan Gujr
ha Afro-Asiatic Chadic Latn
he Afro-Asiatic Semitic Hebr
hi Indo-European Indo-Aryan Deva
hr Indo-European Slavic Latn
ht Indo-European Romance Latn
hu Uralic Ugric Latn
hy Indo-European Armenian Armn
id Austronesian Malayo-Sumbawan Latn
ig Atlantic-Congo Igboid Latn
is Indo-European Germanic Latn
it Indo-European Romance Latn
ja Japonic Japanesic Jpan
jv Austronesian Javanese Latn
ka Kartvelian Georgian-Zan Geor
kk Turkic Kipchak Cyrl
km Austroasiatic Khmeric Khmr
kn Dravidian South-Dravidian Knda
ko Koreanic Korean Kore
ky Turkic Kipchak Cyrl
lo Tai-Kadai Tai Laoo
lt Indo-European Baltic Latn
lv Indo-European Baltic Latn
mg Austronesian Barito Latn
mk Indo-European Slavic Cyrl
ml Dravidian South-Dravidian Mlym
mn Mongolic-Khitan Mongolic Cyrl
mr Indo-European Indo-Aryan Deva
ms Austronesian Malayo-Sumbawan Latn
mt Afro-Asiatic Semitic Latn
my Sino-Tibetan Burmo-Qiangic Mymr
ne Indo-European Indo-Aryan Deva
nl Indo-European Germanic Latn
no Indo-European Germanic Latn
nb Indo-European Germanic Latn
nn Indo-European Germanic Latn
ny Atlantic-Congo Bantu Latn
or Indo-European Indo-Aryan Orya
pa Indo-European Indo-Aryan Guru
pl Indo-European Slavic Latn
ps Indo-European Iranian Arab
pt Indo-European Romance Latn
qu Quechuan Southern-Quechua Latn
ro Indo-European Romance Latn
ru Indo-European Slavic Cyrl
si Indo-European Indo-Aryan Sinh
sk Indo-European Slavic Latn
sl Indo-European Slavic Latn
sn Atlantic-Congo Bantu Latn
so Afro-Asiatic Cushitic Latn
sq Indo-European Albanian Latn
sr Indo-European Slavic Cyrl
st Atlantic-Congo Bantu Latn
su Austronesian Malayo-Sumbawan Latn
sv Indo-European Germanic Latn
sw Atlantic-Congo Bantu Latn
ta Dravidian South-Dravidian Taml
te Dravidian South-Central-Dravidian Telu
tg Indo-European Iranian Cyrl
th Tai-Kadai Tai Thai
tl Austronesian Philippine Latn
tr Turkic Oghuz Latn
uk Indo-European Slavic Cyrl
ur Indo-European Indo-Aryan Arab
uz Turkic Karluk Latn
vi Austroasiatic Vietic Latn
wo Atlantic-Congo Wolof Latn
xh Atlantic-Congo Bantu Latn
yo Atlantic-Congo Yoruboid Latn
zh Sino-Tibetan Sinitic Hans
zu Atlantic-Congo Bantu Latn
"""

LANGUAGES = {code: Language(*facts) for code, *facts in (row.split() for row in _ROWS.strip().splitlines())}
"""ISO code -> facts."""

FAMILIES = {code: language.family for code, language in LANGUAGES.items()}
"""ISO code -> family."""

_ISO_639_3 = {
    "afr": "af", "amh": "am", "arb": "ar", "ara": "ar", "ben": "bn", "bul": "bg", "cat": "ca", "ces": "cs",
    "dan": "da", "deu": "de", "ell": "el", "eng": "en", "spa": "es", "est": "et", "eus": "eu", "pes": "fa",
    "fas": "fa", "fin": "fi", "fra": "fr", "guj": "gu", "hau": "ha", "heb": "he", "hin": "hi", "hrv": "hr",
    "hat": "ht", "hun": "hu", "hye": "hy", "ind": "id", "ibo": "ig", "isl": "is", "ita": "it", "jpn": "ja",
    "jav": "jv", "kat": "ka", "kaz": "kk", "khm": "km", "kan": "kn", "kor": "ko", "kir": "ky", "lao": "lo",
    "lit": "lt", "lvs": "lv", "lav": "lv", "mkd": "mk", "mal": "ml", "mar": "mr", "zsm": "ms", "msa": "ms",
    "mya": "my", "npi": "ne", "nep": "ne", "nld": "nl", "nob": "nb", "nno": "nn", "pan": "pa", "pol": "pl",
    "por": "pt", "quy": "qu", "quz": "qu", "ron": "ro", "rus": "ru", "sin": "si", "slk": "sk", "slv": "sl",
    "som": "so", "sqi": "sq", "als": "sq", "srp": "sr", "swe": "sv", "swa": "sw", "swh": "sw", "tam": "ta",
    "tel": "te", "tgk": "tg", "tha": "th", "tgl": "tl", "tur": "tr", "ukr": "uk", "urd": "ur", "uzn": "uz",
    "uzb": "uz", "vie": "vi", "wol": "wo", "xho": "xh", "yor": "yo", "zho": "zh", "cmn": "zh", "zul": "zu",
}  # fmt: skip


def language_facts(name: str) -> Language | None:
    """Returns the facts of a language (``pt``, ``pt-BR``, ``por_Latn``), or None if it is not known.

    A script in the name (``zho_Hant``) overrides the language's usual one.
    """
    code, *subtags = name.replace("-", "_").split("_")
    facts = LANGUAGES.get(_ISO_639_3.get(code.lower(), code.lower()))
    script = next((tag.title() for tag in subtags if len(tag) == 4 and tag.isalpha()), None)
    return facts if facts is None or script is None else facts._replace(script=script)


def iso_639_3_codes(name: str) -> tuple[str, ...]:
    """Returns the ISO 639-3 codes that a name may mean; the name's code first if it has three letters.

    A macrolanguage has several (``ar``: ``arb``, ``ara``).
    """
    code = name.replace("-", "_").split("_")[0].lower()
    short = _ISO_639_3.get(code, code)
    others = tuple(three for three, two in _ISO_639_3.items() if two == short and three != code)
    return ((code,) if len(code) == 3 else ()) + others
