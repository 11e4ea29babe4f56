"""`vpd bench` finds the measurement that a room brings with it."""

from __future__ import annotations

import importlib

import pytest

from workbench.cli.bench import BENCHES, main
from workbench.errors import InputError


def test_a_wrong_name_lists_the_measurements():
    with pytest.raises(
        InputError,
        match="no measurement is called 'sandbox'; there are: app, execute, sample, store, tools",
    ):
        main("sandbox", [])


@pytest.mark.parametrize("name", BENCHES)
def test_every_measurement_explains_its_options(name, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module(BENCHES[name]).main(["--help"])
    assert f"vpd bench {name}" in capsys.readouterr().out
