"""``donorgrid check`` as its user meets it: words, table, page, JSON, exit codes, and every bad input in one line."""

import json
import sys
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file, save_file

from adapters import change_config, make_adapter
from donorgrid.cli import main
from donorgrid.pocket import model_folder
from worlds import make_checkpoint, make_documents, make_task


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base, adapters good and bad, and targets good and bad."""
    root = tmp_path_factory.mktemp("check")
    make_checkpoint("llama", root / "base")
    make_checkpoint("qwen2", root / "qwen")
    for name, strength in (("nothing", 0.0), ("wild", 1.0)):
        make_adapter(root / "base", root / name, strength=strength)
    make_task(root, test=60)
    rows = make_documents("colours", "de", count=50, seed=4)
    write(root / "good.jsonl", rows)
    write(root / "no_choices.jsonl", [{"id": one["id"], "question": one["question"]} for one in rows])
    write(root / "no_rows.jsonl", [])
    write(root / "prompts.jsonl", [{"id": "1", "prompt": "welche?", "language": "de"}])
    write(root / "twice.jsonl", [{"id": "1", "prompt": "welche?"}, {"id": "1", "prompt": "welches?"}])
    write(root / "schema.jsonl", [{"id": "1", "prompt": "welche?", "schema": {"type": "nothing"}}])
    write(root / "format.jsonl", [{"id": "1", "prompt": "welche?", "format": "xml"}])
    write(root / "number.jsonl", [{"id": "1", "prompt": "welche?", "schema": 7}])
    write(root / "split.jsonl", [{**rows[0], "split": ["test"]}])
    write(root / "null.jsonl", [{**rows[0], "choices": None, "answer": "1"}])
    (root / "half.jsonl").write_text('{"id": "1", "prompt": "welche \\ud83d?"}\n')
    write(root / "blank.jsonl", [{"id": "1", "prompt": "  "}])
    (root / "broken.jsonl").write_text('{"id": 1\n')
    (root / "broken.parquet").write_bytes(b"PAR1 nothing more")
    with (root / "huge.jsonl").open("wb") as stream:
        stream.truncate(5 * 2**30)  # sparse: it takes no room
    (root / "empty").mkdir()
    (root / "file").write_text("no folder")
    _bad_adapters(root)
    (root / "typo.yaml").write_text("base: base\nadaptors: [wild]\n")
    (root / "list.yaml").write_text("[1, 2]\n")
    (root / "tab.yaml").write_text("base:\tbase\n\t- x\n")
    (root / "text.yaml").write_text("base: base\nadapters: [wild]\nguard: good.jsonl\nlimit: low\n")
    return root


def write(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows))


def _bad_adapters(root: Path) -> None:
    make_adapter(root / "qwen", root / "of_another", strength=1.0)
    make_adapter(model_folder(), root / "of_pocket")
    (make_adapter(root / "base", root / "no_weights") / "adapter_model.safetensors").unlink()
    (make_adapter(root / "base", root / "cut") / "adapter_model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    (make_adapter(root / "base", root / "no_json") / "adapter_config.json").write_text("{")
    change_config(make_adapter(root / "base", root / "prefix"), peft_type="PREFIX_TUNING")
    change_config(make_adapter(root / "base", root / "whole_head"), modules_to_save=["lm_head"])
    change_config(make_adapter(root / "base", root / "no_rank"), r=None)
    for name in ("cut_model", "odd_model"):
        make_checkpoint("llama", root / name, seed=3)
    weights = root / "cut_model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    (root / "odd_model" / "config.json").write_text("{}")
    make_adapter(root / "base", root / "other_names")
    tensors = load_file(root / "other_names" / "adapter_model.safetensors")
    renamed = {name.replace("model.layers", "text.layers"): tensor for name, tensor in tensors.items()}
    save_file(renamed, root / "other_names" / "adapter_model.safetensors")


@pytest.fixture
def donorgrid(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: Path):
    """Run the command line in the folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(place)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["donorgrid", "check", *map(str, words), "--cache", "cache"])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_a_safe_adapter_leaves_with_0_and_a_table_that_fits(donorgrid) -> None:
    code, out, _ = donorgrid("base", "nothing", "--on", "colours.yaml:de", "--guard", "colours.yaml:en,it")
    assert code == 0
    table, _, sentences = out.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 100
    assert "all 2 guards are safe at a limit of −1 pp" in sentences


def test_an_open_verdict_leaves_with_1_unless_that_is_allowed(donorgrid) -> None:
    words = ("base", "wild", "--guard", "colours.yaml", "--limit", "-45")
    code, out, _ = donorgrid(*words)
    assert (code, "undecided" in out) == (1, True)
    assert donorgrid(*words, "--allow-undecided")[0] == 0


def test_json_stands_alone_on_standard_output(donorgrid) -> None:
    code, out, err = donorgrid("base", "nothing", "--guard", "colours.yaml:de", "--limit", "-2.5", "--json")
    content = json.loads(out)
    assert (code, content["exit_code"], content["limit_pp"]) == (0, 0, -2.5)
    assert content["adapters"][0]["name"] == "nothing"
    assert "Traceback" not in err


def test_the_page_is_written_whole(donorgrid, tmp_path: Path) -> None:
    code, out, _ = donorgrid("base", "wild", "--guard", "good.jsonl", "--report", tmp_path / "new" / "out.html")
    assert code == 1
    assert f"wrote {tmp_path / 'new' / 'out.html'}" in out
    assert "<!doctype html>" in (tmp_path / "new" / "out.html").read_text()


def test_a_file_says_the_same_as_flags_and_flags_win(donorgrid, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "ci").mkdir(exist_ok=True)
    keys = {
        "base": "../base",
        "adapters": ["../nothing"],
        "on": "../colours.yaml:de",
        "guard": [{"task": "../good.jsonl", "languages": ["de"]}, "../colours.yaml:en"],
        "limit": -3.0,
        "report": "page.html",
    }
    (place / "ci" / "check.yaml").write_text(yaml.safe_dump(keys))
    by_file = json.loads(donorgrid("--config", "ci/check.yaml", "--json")[1])
    assert by_file["limit_pp"] == -3.0
    assert [one["target"] for one in by_file["adapters"][0]["targets"]] == ["colours/de", "good/de", "colours/en"]
    assert (place / "ci" / "page.html").is_file()
    flags = ("--config", "ci/check.yaml", "--limit", "-2", "--guard", "colours.yaml:it", "--json")
    by_flags = json.loads(donorgrid(*flags)[1])
    assert by_flags["limit_pp"] == -2.0
    assert [one["target"] for one in by_flags["adapters"][0]["targets"]] == ["colours/de", "colours/it"]


def test_control_characters_in_texts_and_ids_are_handled(donorgrid, place: Path, tmp_path: Path) -> None:
    rows = make_documents("colours", "de", count=50, seed=4)
    evil = [{**one, "id": f"{one['id']}\x1b[2J", "question": f"\x00\x07{one['question']}\u202e"} for one in rows]
    write(place / "evil\x1b.jsonl", evil)
    code, out, err = donorgrid("base", "wild", "--guard", "evil\x1b.jsonl", "--report", tmp_path / "out.html")
    assert code == 1
    for text in (out, err, (tmp_path / "out.html").read_text()):
        assert not set(text) & {"\x1b", "\x00", "\x07", "\u202e"}


def test_an_adapter_that_answers_nothing_finite_is_one_line_and_not_safe(donorgrid, place: Path) -> None:
    make_adapter(place / "base", place / "burst", strength=8e37)
    code, out, err = donorgrid("base", "burst", "--guard", "good.jsonl")
    assert (code, out) == (2, "")
    assert "log-likelihoods" in err.splitlines()[-1]
    assert "are not finite" in err.splitlines()[-1]


def test_an_adapter_that_fits_but_names_another_base_is_said_to(donorgrid) -> None:
    out = donorgrid("base", "of_another", "--guard", "good.jsonl")[1]
    assert "note: of_another: it says that it was made for" in out


GUARD = ["--guard", "good.jsonl"]
BAD = {
    "no base": ([], "name a base model"),
    "no adapter": (["base", *GUARD], "name at least one adapter"),
    "no target": (["base", "wild"], "give --on or --guard"),
    "missing base": (["nowhere", "wild", *GUARD], "model 'nowhere': no such folder"),
    "missing adapter": (["base", "nowhere/none", *GUARD], "model 'nowhere/none': no such folder"),
    "an adapter that is a file": (["base", "file", *GUARD], "adapter 'file': it is a file"),
    "an empty folder": (["base", "empty", *GUARD], "neither adapter_config.json"),
    "adapter of another base": (
        ["pocket", "wild", *GUARD],
        "for another base or rank: base_model.model.model.layers.0.self_attn",
    ),
    "adapter of a deeper base": (["base", "of_pocket", *GUARD], "it was made for another base"),
    "no weights": (["base", "no_weights", *GUARD], "holds no adapter_model.safetensors"),
    "cut weights": (["base", "cut", *GUARD], "adapter_model.safetensors: no whole safetensors file"),
    "broken configuration": (
        ["base", "no_json", *GUARD],
        "adapter_config.json: cannot be read as PEFT's configuration",
    ),
    "another kind of adapter": (["base", "prefix", *GUARD], "PREFIX_TUNING puts tokens or keys of its own"),
    "an adapter with its own head": (["base", "whole_head", *GUARD], "lm_head.weight is missing"),
    "an adapter without a rank": (["base", "no_rank", *GUARD], "r is None; expected a number"),
    "an adapter with other names": (["base", "other_names", *GUARD], "fits no module that its configuration names"),
    "a checkpoint with cut weights": (["base", "cut_model", *GUARD], "the model cannot be loaded"),
    "a checkpoint with an odd configuration": (
        ["base", "odd_model", *GUARD],
        "odd_model/config.json names no model_type",
    ),
    "an adapter named twice": (["base", "wild", "wild", *GUARD], "it is named twice"),
    "an empty revision": (["base@", "wild", *GUARD], "expected a revision after '@'"),
    "wrong columns": (["base", "wild", "--guard", "no_choices.jsonl"], "column 'choices' (choices) is missing"),
    "zero items": (["base", "wild", "--guard", "no_rows.jsonl"], "it has no rows"),
    "broken JSON": (["base", "wild", "--guard", "broken.jsonl"], "line 1 is not valid JSON"),
    "broken Parquet": (["base", "wild", "--guard", "broken.parquet"], "not readable as"),
    "5 GB": (["base", "wild", "--guard", "huge.jsonl"], "it has 5.0 GiB"),
    "missing file": (["base", "wild", "--guard", "none.jsonl"], "there is no such file"),
    "a pattern of nothing": (["base", "wild", "--guard", "none/*.jsonl"], "no file of that form"),
    "no such task": (["base", "wild", "--guard", "curency:de"], "did you mean 'currency'"),
    "no such language": (["base", "wild", "--guard", "colours.yaml:xx"], "has no language 'xx'"),
    "prompts to gain on": (["base", "wild", "--on", "prompts.jsonl"], "can be guarded (--guard), not gained on"),
    "prompts with one ID": (["base", "wild", "--guard", "twice.jsonl"], "the ID '1' stands earlier"),
    "a schema that is none": (["base", "wild", "--guard", "schema.jsonl"], "not a JSON schema"),
    "a schema that is a number": (["base", "wild", "--guard", "number.jsonl"], "schema is '7'"),
    "a split that is a list": (["base", "wild", "--guard", "split.jsonl"], "column 'split' holds a list"),
    "no choices in a row": (["base", "wild", "--guard", "null.jsonl"], "column 'choices' is empty"),
    "half a character": (["base", "wild", "--guard", "half.jsonl"], "line 1: \\ud83d is half of a surrogate pair"),
    "an unknown format": (["base", "wild", "--guard", "format.jsonl"], "allowed: json, text"),
    "a blank prompt": (["base", "wild", "--guard", "blank.jsonl"], "holds no text"),
    "too long replies": (["base", "wild", "--guard", "prompts.jsonl", "--max-new-tokens", "256"], "reads 256 tokens"),
    "a limit above 0": (["base", "wild", *GUARD, "--limit", "1"], "from -100 to 0"),
    "a limit that is no number": (["base", "wild", *GUARD, "--limit", "low"], "valid number"),
    "no items at all": (["base", "wild", *GUARD, "--items", "0"], "items 0: expected 1 or more"),
    "no such metric": (["base", "wild", *GUARD, "--metric", "f1"], "allowed are acc, acc_norm"),
    "strengths that are no numbers": (["base", "wild", *GUARD, "--strengths", "0.5;1"], "expected numbers with commas"),
    "a strength too large": (
        ["base", "wild", *GUARD, "--strengths", "0.5,3"],
        "strengths: 3: expected a number from 0",
    ),
    "no such precision": (["base", "wild", *GUARD, "--precision", "fp8"], "allowed are fp32, bf16"),
    "exact in bf16": (["base", "wild", *GUARD, "--precision", "bf16", "--exact-and-fast"], "keeps the choices of fp32"),
    "no chat template": (["base", "wild", *GUARD, "--chat-template"], "leave --chat-template out"),
    "no such device": (["base", "wild", *GUARD, "--device", "cuda"], "allowed are 'auto', 'cpu'"),
    "a report that is a folder": (
        ["base", "nothing", *GUARD, "--report", "empty"],
        "--report empty: it is a folder",
    ),
    "no such file of keys": (["--config", "none.yaml"], "none.yaml: no such file"),
    "a misspelt key": (["--config", "typo.yaml"], "adaptors: unknown key"),
    "no keys": (["--config", "list.yaml"], "a check is a mapping"),
    "no YAML": (["--config", "tab.yaml"], "not YAML"),
    "a key of the wrong kind": (["--config", "text.yaml"], "limit: Input should be a valid number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(donorgrid, case: str) -> None:
    words, expected = BAD[case]
    code, out, err = donorgrid(*words)
    last = err.splitlines()[-1]
    assert (code, out) == (2, "")
    assert last.startswith("error: ")
    assert expected in last
    assert "Traceback" not in err
