"""The base models of a study: their files, and whether its recipes adapt anything in them."""

from pathlib import Path

from donorgrid import pocket
from donorgrid.core.errors import InputError, naming
from donorgrid.models.folders import ModelFolder, find_model, find_tokenizer, weight_shapes
from donorgrid.plan.cost import is_adapted
from donorgrid.plan.grid import recipe_record
from donorgrid.plan.study import ModelSpec, Study


def built_in_models() -> dict[str, Path]:
    """The models that donorgrid ships, by name."""
    return {"pocket": pocket.model_folder()}


def find_models(study: Study, *, origin: Path) -> dict[str, ModelFolder]:
    """The files of a study's base models.

    Parameters
    ----------
    study : Study
        The study.
    origin : Path
        The study file: relative paths are relative to its folder.

    Returns
    -------
    dict of str to ModelFolder
        By the model's name in the study.

    Raises
    ------
    InputError
        If a model cannot be found, or a recipe adapts none of its modules.
    """
    with naming(str(origin)):
        models = {spec.name: _find_model(spec, origin.parent) for spec in study.models}
    recipes = [recipe_record(name, spec) for name, spec in study.recipes.items()]
    for model, folder in models.items():
        weights = weight_shapes(folder)
        for recipe in recipes:
            if not any(is_adapted(weight, recipe) for weight in weights):
                modules = sorted({weight.removesuffix(".weight").rpartition(".")[2] for weight in weights})
                raise InputError(
                    f"{origin}: recipes.{recipe.name}.target_modules: model '{model}' has none of "
                    f"{list(recipe.target_modules)}; it has {', '.join(modules)}; 'all-linear' takes all linear ones"
                )
    return models


def _find_model(spec: ModelSpec, folder: Path) -> ModelFolder:
    model = find_model(spec.id, revision=spec.revision, folder=folder, built_in=built_in_models())
    if spec.tokenizer is None:
        return model
    return model.with_tokenizer(find_tokenizer(spec.tokenizer, folder=folder, built_in=built_in_models()))
