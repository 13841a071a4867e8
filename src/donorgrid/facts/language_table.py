"""Family, branch and main script of common languages, by canonical code.

Families and branches follow Glottolog's top-level families and customary subgroup names (glottolog.org); scripts are
the default scripts of Unicode CLDR's likely subtags (ISO 15924 codes).
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
"""Canonical code -> facts."""
