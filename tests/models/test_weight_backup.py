"""The fingerprint of a network tells any change of its weights, also an exchange of two."""

import torch

from donorgrid.models.weight_backup import WeightBackup, fingerprint


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))


def test_a_fingerprint_tells_the_smallest_change_and_an_exchange() -> None:
    one = network()
    first = fingerprint(one)
    assert fingerprint(network()) == first
    exchanged = network()
    exchanged.load_state_dict({f"{1 - int(name[0])}{name[1:]}": value for name, value in one.state_dict().items()})
    assert fingerprint(exchanged) != first
    with torch.no_grad():
        one[0].weight[0, 0] = torch.nextafter(one[0].weight[0, 0], torch.tensor(9.0))
    assert fingerprint(one) != first


def test_a_backup_keeps_the_first_values() -> None:
    one = network()
    before = {name: value.clone() for name, value in one.state_dict().items()}
    backup = WeightBackup(one)
    for _ in range(2):
        with torch.no_grad():
            backup.back_up("0.weight").add_(1.0)
    backup.restore()
    assert all(torch.equal(value, before[name]) for name, value in one.state_dict().items())
