"""The public names: all there, each imported on first use."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import metaglean


def test_every_name_is_there():
    for name in metaglean.__all__:
        assert getattr(metaglean, name) is not None
    assert set(metaglean.__all__) <= set(dir(metaglean))


def test_the_two_lists_agree():
    assert sorted(metaglean.__all__) == sorted([*metaglean._HOMES, "__version__"])


def test_the_version_is_that_of_the_distribution():
    assert metaglean.__version__ == version("metaglean-core")


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        metaglean.Nothing  # noqa: B018  the access is the test


def test_importing_the_package_costs_nothing():
    code = (
        "import sys; before = set(sys.modules); import metaglean; "
        "print(*sorted(m for m in set(sys.modules) - before if not m.startswith('_')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["metaglean"]
