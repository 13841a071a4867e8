"""Makes a resident base compute as an adapter says, and puts the base back bit for bit afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from peft import PeftModel

from donorgrid.models.adapter_files import is_adapter
from donorgrid.models.checkpoints import put_checkpoint
from donorgrid.models.loading import Base
from donorgrid.models.merging import merge_adapter
from donorgrid.models.peft_adapters.load import load_by_peft
from donorgrid.models.peft_adapters.merge import can_be_merged, merge_loaded
from donorgrid.models.peft_adapters.reading import check_reading
from donorgrid.models.peft_adapters.strength import AdjustableStrength, scale_layers
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.models.weight_backup import WeightBackup

Activation = Literal["merged", "unmerged"]
"""How an adapter is active: in the base's weights, or in PEFT's modules, which compute beside them."""


class AdapterSwitch:
    """Makes one adapter at a time active in a resident base.

    An adapter is merged into the weights; a checkpoint replaces them. A base in 4 bit has no weights to add to: PEFT's
    modules compute beside them ("unmerged"). A copy of every weight that was ever changed is kept.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._backup = WeightBackup(base.network)

    @contextmanager
    def active(self, folder: Path, *, strength: float = 1.0) -> Iterator[None]:
        """While the body runs, the base computes with an adapter; afterwards, also after an exception, without.

        Parameters
        ----------
        folder
            An adapter in PEFT's format, or the whole checkpoint of a full fine-tuning.
        strength
            How much of its change is applied: W0 + strength (W' - W0).

        Raises
        ------
        InputError
            The adapter changes more than weights of the base, or the checkpoint is of another model.
        DonorgridError
            The base's weights differ from the former ones afterwards.
        """
        network = self._base.network
        try:
            if not is_adapter(folder):
                put_checkpoint(network, folder, self._backup, strength=strength)
                yield
            elif self._base.is_quantised:
                with active_unmerged(network, folder, strength=strength):
                    yield
            else:
                merge_adapter(network, folder, self._backup, strength=strength)
                yield
        finally:
            self._backup.restore()

    @contextmanager
    def active_by_peft(self, folder: Path, *, n_tokens: int, strength: float = 1.0) -> Iterator[tuple[Any, Activation]]:
        """While the body runs, a network computes with an adapter that another tool wrote, as PEFT would.

        Where that is the same, the adapter is merged into the base's weights. Otherwise PEFT's modules compute in a
        copy of the base that shares its weights.

        Parameters
        ----------
        folder
            An adapter in PEFT's format.
        n_tokens
            The number of tokens that the tokenizer knows.
        strength
            How much of the adapter's change is applied: W0 + strength (W' - W0).

        Returns
        -------
        context manager
            Gives the network that computes with the adapter (the base's own where it is merged), and which way it is.

        Raises
        ------
        InputError
            PEFT refuses the adapter, a tensor is missing, of no use or not finite, or what it changes cannot be scaled.
        DonorgridError
            The base's weights differ from the former ones afterwards.
        """
        network = self._base.network
        try:
            adapted = load_by_peft(network, folder, n_tokens=n_tokens)
            if can_be_merged(adapted, network):
                merge_loaded(adapted, self._backup, strength=strength)
                del adapted
                yield network, "merged"
            else:
                if strength != 1:
                    AdjustableStrength(folder, adapted, network).set(strength)
                check_reading(folder, adapted)
                yield adapted.get_base_model(), "unmerged"
        finally:
            self._backup.restore()


@contextmanager
def active_unmerged(network: Any, folder: Path, *, strength: float = 1.0) -> Iterator[None]:
    """While the body runs, PEFT's modules stand in the network and add the adapter's products to its linear maps.

    Parameters
    ----------
    network
        The base's network. PEFT's modules are taken off it afterwards.
    folder
        An adapter in PEFT's format.
    strength
        How much of its products is added.

    Returns
    -------
    context manager
        The adapter is active inside it.
    """
    with quiet_deprecations():
        adapted = PeftModel.from_pretrained(network, folder, is_trainable=False)
    try:
        network.eval()
        if strength != 1:
            scale_layers(adapted, strength)
        yield
    finally:
        adapted.unload()
        network.eval()
