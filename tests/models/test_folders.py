"""What is no whole model folder is one line, before anything is loaded."""

import json
import shutil
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_base


@pytest.fixture
def copy(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world / "llama", tmp_path / "copy"))


def find(folder: Path):
    return find_model(str(folder), revision=None, folder=Path(), built_in={})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "config.json: cannot be read as the configuration"),
        ("[1]", "it is no JSON object"),
        ("{}", "names no model_type"),
        ("\xff", "cannot be read as the configuration"),
        ("[" * 5000, "nested too deep"),
        ('{"model_type": "llama", "max_position_embeddings": "x"}', "max_position_embeddings is 'x'"),
        ('{"model_type": "llama", "num_hidden_layers": 9000}', "num_hidden_layers is 9000; .* at most"),
        ('{"model_type": "llama", "vocab_size": 9000000}', "vocab_size is 9000000; .* at most"),
    ],
)
def test_a_broken_configuration_is_one_line(copy: Path, content: str, message: str) -> None:
    (copy / "config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=message):
        find(copy)


@pytest.mark.parametrize("kept", [0, 4, 20, 200])
def test_weights_cut_in_their_header_are_one_line(copy: Path, kept: int) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="no whole safetensors file"):
        find(copy)


def test_weights_cut_behind_their_header_are_one_line_when_loaded(copy: Path) -> None:
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be loaded"):
        load_base(find(copy), precision="fp32", device="cpu")


def test_the_digest_follows_the_content_and_not_the_place(copy: Path, world: Path) -> None:
    assert find(copy).weights_digest == find(world / "llama").weights_digest
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-4}))
    assert find(copy).weights_digest != find(world / "llama").weights_digest
