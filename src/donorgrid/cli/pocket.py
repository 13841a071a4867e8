"""The subcommands of the pocket world."""

import hashlib
import shutil
from pathlib import Path
from typing import Annotated

import typer

from donorgrid import pocket as world
from donorgrid.cli.show import make_console
from donorgrid.core.atomic_files import whole_folder
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training

console = make_console()
pocket = typer.Typer(no_args_is_help=True, help="The built-in offline world.")

_EVERY_STEPS = 100


@pocket.command("train")
def train_base_model(
    out: Annotated[Path, typer.Option(help="the folder to write the model to")] = Path("pocket-model"),
    seed: Annotated[int, typer.Option(help="the seed of the weights and of the text's order")] = world.BASE_MODEL_SEED,
) -> None:
    """Pre-train the pocket base model again, from nothing."""
    require_training("pocket train")
    if out.exists():
        raise InputError(f"{out}: exists already; give another folder")
    world.pretrain.train_base_model(out, seed=seed, report=_tell)
    digest = hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()
    same = "the shipped weights" if digest == world.WEIGHTS_SHA256 else "not the shipped weights (see the docs)"
    console.print(f"wrote {out}; SHA-256 of model.safetensors {digest}: {same}", soft_wrap=True)


@pocket.command("write")
def write_base_model(
    out: Annotated[Path, typer.Option(help="the folder to write the model to")] = Path("pocket"),
) -> None:
    """Write the shipped pocket base model into a folder that transformers and PEFT can load."""
    if out.exists():
        raise InputError(f"{out}: exists already; give another folder")
    with whole_folder(out) as unfinished:
        shutil.copytree(world.model_folder(), unfinished, dirs_exist_ok=True)
    console.print(f"wrote {out}, the base model 'pocket'", soft_wrap=True)


def _tell(progress: "world.pretrain.Progress") -> None:
    if progress.step % _EVERY_STEPS == 0 or progress.step == progress.n_steps:
        console.print(f"step {progress.step} of {progress.n_steps}, loss {progress.loss_nats:.3f} nats per token")
