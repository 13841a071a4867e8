"""Which continent a territory belongs to, and which territories belong to another one.

Babel does not expose CLDR's territory containment, so this is an own small table after the United Nations' "Standard
country or area codes for statistical use" (M49, https://unstats.un.org/unsd/methodology/m49/, read 2025-12). M49 has no
entry for TW and XK, and counts AC, TA, DG, EA and IC within SH, IO and ES: TW, XK, EA and IC stand as in CLDR's own
containment (030, 039, 015), the others with the entry that M49 counts them in.
"""

AFRICA, AMERICAS, ASIA, EUROPE, OCEANIA = CONTINENTS = ("002", "019", "142", "150", "009")
"""M49 codes of the five regions, under which CLDR also names them."""

_MEMBERS = {
    AFRICA: (
        "DZ EG LY MA SD TN EH IO BI KM DJ ER ET TF KE MG MW MU YT MZ RE RW SC SO SS UG TZ ZM ZW AO CM CF TD CG CD GQ "
        "GA ST BW SZ LS NA ZA BJ BF CV CI GM GH GN GW LR ML MR NE NG SH SN SL TG AC TA DG EA IC"
    ),
    AMERICAS: (
        "AI AG AW BS BB BQ VG KY CU CW DM DO GD GP HT JM MQ MS PR BL KN LC MF VC SX TT TC VI BZ CR SV GT HN MX NI PA "
        "AR BO BV BR CL CO EC FK GF GY PY PE GS SR UY VE BM CA GL PM US"
    ),
    ASIA: (
        "KZ KG TJ TM UZ CN HK MO KP JP MN KR BN KH ID LA MY MM PH SG TH TL VN AF BD BT IN IR MV NP PK LK AM AZ BH CY "
        "GE IQ IL JO KW LB OM QA SA PS SY TR AE YE TW"
    ),
    EUROPE: (
        "BY BG CZ HU PL MD RO RU SK UA AX GG JE DK EE FO FI IS IE IM LV LT NO SJ SE GB AL AD BA HR GI GR VA IT MT ME "
        "MK PT SM RS SI ES AT BE FR DE LI LU MC NL CH XK"
    ),
    OCEANIA: "AU CX CC HM NZ NF FJ NC PG SB VU GU KI MH FM NR MP PW UM AS CK PF NU PN WS TK TO TV WF",
}

CONTINENT_OF: dict[str, str] = {
    territory: continent for continent, members in _MEMBERS.items() for territory in members.split()
}
"""Territory (ISO 3166-1 alpha-2, and CLDR's exceptional codes) to the M49 code of its region."""

_BELONGING = (
    "AU CC CX HM NF",
    "CN HK MO TW",
    "DK FO GL",
    "ES EA IC",
    "FI AX",
    "FR BL GF GP MF MQ NC PF PM RE TF WF YT",
    "GB AC AI BM DG FK GG GI GS IM IO JE KY MS PN SH TA TC VG",
    "IL PS",
    "MA EH",
    "NL AW BQ CW SX",
    "NO BV SJ",
    "NZ CK NU TK",
    "RS XK",
    "US AS GU MP PR UM VI",
)


def overlapping(territory: str) -> frozenset[str]:
    """The territories that a place in ``territory`` could also be said to lie in, itself included.

    Dependent, associated and disputed territories stand together with the state that administers or claims them, so
    that none of them is ever offered as a wrong answer for another.
    """
    return frozenset({territory}).union(*(line.split() for line in _BELONGING if territory in line.split()))
