"""A word that the command line doesn't know is answered with the nearest that it does."""

from __future__ import annotations

import pytest

from metaglean.cli import main


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        (["chekc"], "check"),
        (["test_connection"], "test-connection"),
        (["catalog", "serch"], "search"),
        (["plugins", "--kind", "surce"], "source"),
    ],
)
def test_the_nearest_word_is_named(words, nearest, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"\n  Did you mean {nearest}?\n")


@pytest.mark.parametrize("words", [["zzzzz"], ["plugins", "--kind", "(choose from 'x')"]])
def test_nothing_is_made_up(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "Did you mean" not in capsys.readouterr().err
