"""Codes of languages: the catalog's, those of FLORES-200, and what they mean."""

import pytest
import yaml
from babel.core import get_global

from donorgrid.core.errors import InputError
from donorgrid.facts.language_table import LANGUAGES
from donorgrid.facts.languages import (
    EXCEPTIONS,
    canonical_language,
    is_language,
    language_facts,
    language_label,
    one_language_each,
    spelling_of,
)
from donorgrid.tasks.find import CATALOG

CODES = """
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi apc_Arab arb_Arab arb_Latn
ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl
bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn
ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn est_Latn eus_Latn
ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn
guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn
ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn
khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang lao_Laoo lij_Latn
lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva
mal_Mlym mar_Deva min_Arab min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn
npi_Deva nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn
por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh slk_Latn
slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn
szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tpi_Latn tsn_Latn tso_Latn
tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn vie_Latn war_Latn
wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zsm_Latn zul_Latn
"""
FLORES_200 = CODES.split()


def test_no_two_codes_of_flores_200_become_one():
    assert len(FLORES_200) == 204
    assert len({canonical_language(code) for code in FLORES_200}) == 204


def test_another_script_is_another_code_and_the_usual_script_is_none():
    scripts = {code: canonical_language(code).partition("-")[2] for code in FLORES_200}
    assert {code for code, script in scripts.items() if script} == {
        "ace_Arab", "arb_Latn", "bjn_Arab", "crh_Latn", "kas_Deva", "knc_Arab", "min_Arab", "taq_Tfng", "tzm_Tfng",
        "zho_Hant",
    }  # fmt: skip


def test_codes_of_the_catalog_are_canonical_and_stand_for_the_names_that_their_data_use():
    for path in CATALOG.glob("*.yaml"):
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
        for code in keys["languages"]:
            assert canonical_language(code) == code, path.name
        for code, name in keys.get("language_names", {}).items():
            if name != "North Macedonian":  # no name of a language: include's data set has it
                assert canonical_language(name) == code, (path.name, name)


def test_plain_codes_stay():
    changed = {code for code in LANGUAGES if canonical_language(code) != code}
    assert changed == {"fil"}


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("de", "de deu deu_Latn de_DE de-DE DE German german Deutsch de-Latn-AT ger"),
        ("zh", "zh zho zho_Hans cmn cmn_Hans zh-CN Chinese"),
        ("zh-Hant", "zh-Hant zho_Hant zh_TW zh-HK"),
        ("ar", "ar ara arb arb_Arab ar_SA Arabic"),
        ("ms", "ms zsm msa zsm_Latn Malay"),
        ("pt", "pt por por_Latn pt_BR pt-PT Portuguese"),
        ("fa", "fa pes pes_Arab fas Farsi Persian"),
        ("prs", "prs prs_Arab fa_AF Dari"),
        ("tl", "tl tgl tgl_Latn fil Filipino"),
        ("tw", "tw twi twi_Latn"),
        ("ak", "ak aka aka_Latn"),
        ("ko", "ko kor kor_Hang kor_Kore"),
        ("sr", "sr srp srp_Cyrl"),
        ("sr-Latn", "sr_Latn srp_Latn sr-ME"),
        ("ht", "ht hat_Latn Haitian_Creole"),
        ("he", "he iw heb_Hebr"),
        ("nb", "nb nob_Latn"),
        ("ca-valencia", "ca-valencia cat-valencia"),
        ("pt-x-br", "pt-x-br por_Latn-x-br"),
        ("und", "und"),
        ("x-robot", "x-robot"),
    ],
)
def test_spellings_of_one_language(code, spellings):
    assert {canonical_language(spelling) for spelling in spellings.split()} == {code}


@pytest.mark.parametrize(
    "code", ["arz", "ary", "acm", "apc", "ars", "yue", "azb", "ckb", "bs", "hr", "gsw", "nn", "nb", "no"]
)
def test_languages_of_their_own_are_not_folded(code):
    assert canonical_language(code) == code


def test_exceptions_are_needed():
    """Without its entry the library would say something else."""
    from langcodes import Language

    for code, canonical in EXCEPTIONS.items():
        tag = Language.get(code, normalize=True)
        assert tag.prefer_macrolanguage().to_tag() != canonical, code


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("grman", "language 'grman': no language has this code or name; did you mean 'German'?"),
        ("xx", "language 'xx': no language has this code or name"),
        ("", "language '': no language has this code or name"),
        ("../de", "language '../de': no language has this code or name"),
        ("de\0", r"language 'de\x00': no language has this code or name"),
        ("a" * 300, f"language '{'a' * 40}': no language has this code or name"),
        ("\ud800de", r"language '\ud800de': no language has this code or name"),
    ],
)
def test_what_is_no_language_is_refused_in_one_line(code, message):
    with pytest.raises(InputError) as error:
        canonical_language(code)
    assert str(error.value) == message
    assert language_label(code) == code


def test_two_spellings_of_one_language_are_named():
    with pytest.raises(InputError, match="here: 'de' and 'deu_Latn' are the same language, 'de'; keep one"):
        one_language_each(["de", "fr", "deu_Latn"], where="here")


def test_the_spelling_that_exists_is_taken():
    existing = ["deu_Latn", "fra_Latn", "xx"]
    assert spelling_of(["de", "fra"], existing, where="") == {"de": "deu_Latn", "fr": "fra_Latn"}
    assert spelling_of([], existing, where="") == {"de": "deu_Latn", "fr": "fra_Latn", "xx": "xx"}
    assert spelling_of(["it"], existing, where="") == {"it": "it"}
    assert spelling_of(["de"], ["de", "deu"], where="") == {"de": "de"}
    with pytest.raises(InputError, match="same language"):
        spelling_of([], ["de", "deu"], where="")


def test_words_in_names_of_tasks_are_no_languages():
    for word in (
        "all",
        "acc",
        "pro",
        "easy",
        "hard",
        "test",
        "dev",
        "val",
        "challenge",
        "xx",
        "x-robot",
        "und",
        "l1",
        "in",
    ):
        assert not is_language(word), word
    for word in ("de", "deu", "deu_Latn", "kac_Latn", "luo", "pcm", "german", "zh-Hant", "ca-valencia"):
        assert is_language(word), word


def test_scripts_are_those_of_cldr():
    likely = get_global("likely_subtags")
    for code, facts in LANGUAGES.items():
        assert likely.get(code, f"{code}_?_?").split("_")[1] == facts.script, code


@pytest.mark.parametrize(
    ("name", "family", "script"),
    [("pt", "Indo-European", "Latn"), ("pt-BR", "Indo-European", "Latn"), ("zho_Hant", "Sino-Tibetan", "Hant"),
     ("ind_Latn", "Austronesian", "Latn"), ("tur", "Turkic", "Latn"), ("arz", "Afro-Asiatic", "Arab"),
     ("yue", "Sino-Tibetan", "Hant")],
)  # fmt: skip
def test_names_are_read_by_their_language_part(name, family, script):
    facts = language_facts(name)
    assert facts is not None
    assert (facts.family, facts.script) == (family, script)


def test_an_unknown_language_has_no_facts():
    assert language_facts("tlh") is None
    assert language_facts("xx") is None
