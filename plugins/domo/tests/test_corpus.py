"""`check --fix` over configurations as OpenMetadata's pages for 0.12 to 2.x have them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import certifi
import pytest

from metaglean.config.document import is_json, read_text
from metaglean.config.fixing import Fixer
from metaglean.plugins import Registry

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
SEED = Path(__file__).parent / "corpus" / "seed.yaml"
ENVIRON = {
    "DOMO_CLIENT_ID": "client", "DOMO_SECRET_TOKEN": "secret", "CA_FILE": certifi.where(),
    "DOMO_DOMAIN": "https://acme.domo.com", "OM_BOT_TOKEN": "eyJhbGciOiJSUzI1NiJ9.bot.x",
}  # fmt: skip
OLD = ("sandboxDomain", "database", "DomoDashboard", "certificatePath", "processor", "DomoDatabase")


def fixed_of(path, text=None):
    fixer = Fixer(str(path), Registry(), ENVIRON, is_json=is_json(path))
    return fixer.fix(read_text(path) if text is None else text)


def changes(fixed):
    """(old, new) of every line that differs."""
    old, new = fixed.old.splitlines(), fixed.new.splitlines()
    assert len(old) == len(new)
    return [(a.strip(), b.strip()) for a, b in zip(old, new, strict=True) if a != b]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_all_end_valid_and_a_second_run_changes_nothing(path):
    # The page's own is full of placeholders, which nobody can fill in for its readers.
    text = re.sub(r"<api_domo>|\{bot_jwt_token\}", "eyacme", read_text(path))
    fixed = fixed_of(path, text)
    assert fixed.after.error is None
    assert not fixed.by_hand
    again = fixed_of(path, fixed.new)
    assert again.new == fixed.new
    assert not again.before.problems.rewrites
    assert not [warning for warning in again.before.problems.warnings if "write" in warning]
    before, after = (
        dataclasses.replace(reading.result(), warnings=())
        for reading in (fixed.before, fixed.after)
    )
    assert before == after
    assert re.findall(r"(?:^|(?<=\s))#.*", fixed.new) == re.findall(r"(?:^|(?<=\s))#.*", text)
    crlf = fixed_of(path, text.replace("\n", "\r\n"))
    assert crlf.new == fixed.new.replace("\n", "\r\n")
    print(f"{path.name}: {len(fixed.before.problems.rewrites)} rewritten, valid, idempotent")


def test_the_corpus_has_what_is_old():
    texts = "\n".join(read_text(path) for path in CORPUS)
    assert all(re.search(rf"\b{word}\b", texts) for word in OLD)
    assert sum(fixed_of(path).changed for path in CORPUS) == len(CORPUS) - 2  # 1.2 and 2.0 are new


def test_the_page_of_the_domo_connector():
    fixed = fixed_of(SEED)
    assert changes(fixed) == [
        ("type: DomoDashboard", "type: DomoDatabase"),
        ("sandboxDomain: https://<api_domo>.domo.com",
         "instanceDomain: https://<api_domo>.domo.com"),
    ]  # fmt: skip
    assert fixed_of(SEED, fixed.new).new == fixed.new
    assert re.findall(
        r"seed\.yaml:(\d+):\d+  (\S+): (\S+) is a placeholder", str(fixed.after.error)
    ) == [
        ("11", "source.serviceConnection.config.instanceDomain", "<api_domo>"),
        (
            "43",
            "workflowConfig.openMetadataServerConfig.securityConfig.jwtToken",
            "{bot_jwt_token}",
        ),
    ]
