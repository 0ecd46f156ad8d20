"""`Fixer`: what is rewritten, what stays as it was written, and what is left to people."""

from __future__ import annotations

import dataclasses
import re
import textwrap

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import field_validator

from metaglean import ConfigError
from metaglean.config.fixing import Fixer
from metaglean.config.masking import masked_lines
from metaglean.config.rewrites import same, with_braces

ENVIRON = {"ID": "the-id", "NAME": "the-name", "SECRET": "s3cret-of-the-environment"}
HEAD = """\
source:
  type: shop
  serviceName: local
  serviceConnection:
    config:
      clientId: client
      secretToken: hunter2-hunter2
"""


@pytest.fixture(scope="module")
def fix(registry):
    """`fix(text)` → Fixed; the second run is checked to change nothing."""

    def fix(text, *, is_json=False, **options):
        fixer = Fixer("w.json" if is_json else "w.yaml", registry, ENVIRON, is_json=is_json)
        fixed = fixer.fix(text, **options)
        again = fixer.fix(fixed.new, **options)
        assert again.new == fixed.new
        assert again.by_hand == fixed.by_hand
        return fixed

    return fix


def connection(lines):
    return HEAD + textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * 6) + "\n"


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        ("type: ShopDashboard  # c", "type: Shop  # c"),
        ("type: 'ShopDashboard'", "type: 'Shop'"),
        ("sandboxDomain:   x   # c", "instanceDomain:   x   # c"),
        ('"sandboxDomain" : x', '"instanceDomain" : x'),
        ("'database': x", "'databaseName': x"),
        ("database: &here !!str $NAME", "databaseName: &here !!str ${NAME}"),
        ("databaseName: $NAME-$NAMES-$OTHER$ID", "databaseName: ${NAME}-$NAMES-$OTHER${ID}"),
        ("databaseName: $${NAME} $NAME", "databaseName: $${NAME} ${NAME}"),
        ("databaseName: >- # $ID\n  $NAME\n  $ID", "databaseName: >- # $ID\n  ${NAME}\n  ${ID}"),
        ("databaseName: a\n  $NAME", "databaseName: a\n  ${NAME}"),
        ("login: {type: Password, user: $ID, pass: 'x'}",
         "login: {type: Password, user: \"${ID}\", password: 'x'}"),
        ("login: {type: Password, user: a\"\\$ID'b, pass: x}",
         "login: {type: Password, user: 'a\"\\${ID}''b', password: x}"),
        ("password: x  # c\nretries: 1", "authType:\n  password: x  # c\nretries: 1"),
        ("password: |\n  x\n\n  y\n# c", "authType:\n  password: |\n    x\n\n    y\n# c"),
        ("several:\n- type: Password\n  user: u\n  pass: x",
         "several:\n- type: Password\n  user: u\n  password: x"),
    ],
)  # fmt: skip
def test_one_place_is_rewritten(fix, written, rewritten):
    fixed = fix(connection(written))
    assert fixed.new == connection(rewritten)
    assert fixed.after.error is None
    assert not fixed.by_hand


@pytest.mark.parametrize(
    ("written", "rewritten"),
    [
        ("processor:\n  # c\n  type: Shout # d\n\n  # e\n  config:\n     volume: 2\n# f",
         "processors:\n  # c\n  - type: shout # d\n\n    # e\n    config:\n       volume: 2\n# f"),
        ("processor: {type: shout}\n", "processors: [{type: shout}]\n"),
        ("processor: {type: shout,\n   config: }\n", "processors: [{type: shout,\n   config: }]\n"),
        ('"processor":\n   "type": shout', '"processors":\n   - "type": shout'),
    ],
)  # fmt: skip
def test_a_processor_becomes_a_list(fix, written, rewritten):
    fixed = fix(HEAD + written)
    assert fixed.new == HEAD + rewritten
    assert len(fixed.after.result().processors) == 1


def test_the_profiler_of_a_profile_workflow_is_no_processor(fix):
    text = HEAD + "  sourceConfig: {config: {type: Profiler, threadCount: 2}}\n"
    fixed = fix(text + "processor: {type: orm-profiler}\n")
    assert fixed.new == text.replace("threadCount", "threads") + "processor: {type: orm-profiler}\n"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("password: x\nauthType: {}", "authType stands there as well"),
        ("type: ${KIND:-ShopDashboard}", "made of variables"),
        ("type: >-\n  ShopDashboard", "a block of text"),
        ('databaseName: "\\x24NAME"', "with escapes"),
    ],
)  # fmt: skip
def test_what_only_people_can_change_is_named_and_left(fix, written, reason):
    fixed = fix(connection(written))
    assert fixed.new == connection(written)
    assert len(fixed.by_hand) == 1
    assert re.match(r"w\.yaml:8:\d+  source\..*: write .* by hand \(", fixed.by_hand[0])
    assert reason in fixed.by_hand[0]


def test_what_is_left_keeps_nothing_else_from_being_changed(fix):
    many = "\n".join(f"k{n}: {{password: $ID$NAME{n % 2}}}" for n in range(30))
    text = connection("password: x\nauthType: {}\nextra:\n" + textwrap.indent(many, "  "))
    text += "  sourceConfig: {config: {tableFilterPattern: {includes: [users]}}}\n"
    fixed = fix(text, anchor=True)
    assert fixed.new == re.sub(r"\$ID\$NAME(\d)", r'"${ID}$NAME\1"', text).replace(
        "[users]", "[users$]"
    )
    assert len(fixed.by_hand) == 1


def test_keys_that_can_only_be_changed_together(fix):
    """Even where something else has to be changed first: the words overlap with the indentation."""
    text = connection(
        """
        password: |-
          $ID
          $ID
        login: &l {type: Password, user: u, pass: $ID}  # l
        several:
        - <<: *l
          pass: q
        """
    )
    fixed = fix(text)
    assert not fixed.by_hand
    assert fixed.after.error is None
    assert not fixed.after.problems.rewrites


def test_an_alias_is_changed_where_it_is_written(fix):
    text = connection(
        """
        login: &l {type: Password, user: $ID, pass: p}
        several:
          - *l
          - {<<: *l, user: me}
        """
    )
    fixed = fix(text)
    assert fixed.new == text.replace("pass:", "password:").replace("$ID", '"${ID}"')
    assert not fixed.by_hand


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (connection("sizes: &p {pass: [1]}\nlogin: {<<: *p, type: Password, user: u}"),
         "written in a way that is not understood"),
        (HEAD + "sink: &s {type: catalog}\nprocessor: *s\n", "it is an alias"),
        (HEAD + "processor: &s\n  type: shout\n", "an anchor or a tag"),
        (HEAD + "processor: {type: shout}\nprocessors: []\n", "processors stands there as well"),
    ],
)  # fmt: skip
def test_what_would_change_something_else_is_left(fix, text, reason):
    fixed = fix(text)
    assert fixed.new == text
    assert len(fixed.by_hand) == 1
    assert reason in fixed.by_hand[0]


@pytest.mark.parametrize("spoils", ["check_config", "database_name"])
def test_a_plugin_that_takes_the_result_for_something_else(registry, spoils):
    """Then the file is left alone; the plugin changes its mind when the old spelling is gone."""
    shop = registry.get("source", "shop")
    seen = []

    class Config(shop.Config):
        @field_validator("database_name")
        @classmethod
        def _count(cls, value):
            seen.append(value)
            return f"{value}{len(seen)}" if spoils == "database_name" else value

    class Other(shop):
        @classmethod
        def check_config(cls, config, options):
            if spoils == "check_config" and len(seen) > 1:
                yield "no longer valid"

    Other.Config = Config

    class Registry:
        types = registry.types

        def get(self, kind, name):
            return Other if kind == "source" else registry.get(kind, name)

    text = connection("database: x")
    fixed = Fixer("w.yaml", Registry(), ENVIRON, is_json=False).fix(text)
    assert fixed.new == text
    assert len(fixed.by_hand) == 1


def test_a_file_that_stays_invalid_is_mended_as_far_as_it_goes(fix):
    text = connection("type: ShopDashboard\nsandboxDomain: https://<api_shop>.shop.example")
    fixed = fix(text)
    assert fixed.new == text.replace("ShopDashboard", "Shop").replace("sandbox", "instance")
    assert "<api_shop> is a placeholder of the documentation" in str(fixed.after.error)


@pytest.mark.parametrize("text", [HEAD + "source: {}\n", "a: [", "a: b: c", "", "- a\n"])
def test_what_is_no_workflow_is_an_error(fix, text):
    with pytest.raises(ConfigError):
        fix(text)


def test_json_is_changed_as_json(fix):
    text = (
        '{\t"source": {"type": "SHOP", "serviceName": "x", "serviceConnection": {"config": {\n'
        '\t\t"clientId": "$ID", "secretToken":"hunter2","password" : "p",\t"database": "d"}}},\n'
        '\t"processor": {"type": "shout"}}'
    )
    fixed = fix(text, is_json=True)
    assert fixed.new == (
        '{\t"source": {"type": "shop", "serviceName": "x", "serviceConnection": {"config": {\n'
        '\t\t"clientId": "${ID}", "secretToken":"hunter2","authType": {"password" : "p"},\t'
        '"databaseName": "d"}}},\n'
        '\t"processors": [{"type": "shout"}]}'
    )
    assert fixed.after.error is None


PATTERNS = (
    HEAD + "  sourceConfig: {config: {tableFilterPattern: {includes: [users, 'a.*', 20, \"x y\"]}}}"
)


def test_patterns_are_anchored_only_where_it_is_asked_for(fix):
    fixed = fix(PATTERNS)
    assert not fixed.changed
    assert list(fixed.before.problems.loose_patterns.values()) == ["users", "20", "x y"]
    anchored = fix(PATTERNS, anchor=True)
    assert "[users$, 'a.*', 20$, \"x y$\"]" in anchored.new
    by_name = PATTERNS.replace("{tableFilter", "{useFqnForFiltering: true, tableFilter")
    assert not fix(by_name, anchor=True).changed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD, "# yaml-language-server: $schema=s.json\n" + HEAD),
        (HEAD.replace("\n", "\r\n"),
         "# yaml-language-server: $schema=s.json\r\n" + HEAD.replace("\n", "\r\n")),
        ("# a\n\n#yaml-language-server : $schema=old.json x\n---\n" + HEAD,
         "# a\n\n# yaml-language-server: $schema=s.json\n---\n" + HEAD),
        ("%YAML 1.1\n---\n# yaml-language-server: $schema=o\n" + HEAD,
         "%YAML 1.1\n---\n# yaml-language-server: $schema=s.json\n" + HEAD),
    ],
)  # fmt: skip
def test_the_header_for_editors_stands_there_once(fix, text, expected):
    assert fix(text, header="s.json").new == expected


KEYS = {"sandboxDomain": "instanceDomain", "database": "databaseName", "password": "authType"}
COMMENTS = ["", "", "  # c", " # a\ttab", "  # größer ☃: {$ID} 'x", " #"]
COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*")
VALUES = [
    "plain",
    "$ID",
    "a $NAME b",
    "p$ID$OTHER",
    "${NAME}",
    "ümläut",
    "it's",
    "x#y",
    "$",
    "a\\b",
]


@st.composite
def scalars(draw, *, flow=False, indent=0):
    """One value in one of YAML's styles, as it is written."""
    value = draw(st.sampled_from(VALUES))
    styles = ["plain", "single", "double"] + ([] if flow else ["literal", "folded"])
    style = draw(st.sampled_from(styles))
    if style == "single" or (style == "plain" and flow and re.search(r"[{}]", value)):
        return "'" + value.replace("'", "''") + "'"
    if style == "double":
        return '"' + value.replace("\\", "\\\\") + '"'
    if style in {"literal", "folded"}:
        sign = {"literal": "|", "folded": ">"}[style] + draw(st.sampled_from(["-", ""]))
        gap = draw(st.sampled_from(["", "\n"]))
        return f"{sign}\n{' ' * (indent + 3)}{value}\n{gap}{' ' * (indent + 3)}{value}"
    return value


@st.composite
def entries(draw, *, flow=False, indent=0):
    """Keys of a connection in any order, old and new, and their values."""
    found = [("clientId", draw(scalars(flow=flow, indent=indent)))]
    found.append(("secretToken", draw(scalars(flow=flow, indent=indent))))
    for old, new in KEYS.items():
        key = draw(st.sampled_from([old, "" if old == "password" else new, ""]))
        if key:
            found.append((key, draw(scalars(flow=flow, indent=indent))))
    if draw(st.booleans()):
        found.append(("type", draw(st.sampled_from(["Shop", "ShopDashboard"]))))
    quote = draw(st.sampled_from(["", "", "'", '"']))
    return [(f"{quote}{key}{quote}", value) for key, value in draw(st.permutations(found))]


@st.composite
def workflows(draw):
    """The text of a workflow as people may write it."""
    step = draw(st.integers(1, 5))
    lines = draw(st.sampled_from([[], ["---"], ["# start", "", "---  # doc"]]))
    lines = [*lines, "source:", f"{' ' * step}type: {draw(st.sampled_from(['shop', 'Shop']))}",
             f"{' ' * step}serviceName: local", f"{' ' * step}serviceConnection:"]  # fmt: skip
    if draw(st.booleans()):
        inner = [f"{key}: {value}" for key, value in draw(entries(flow=True))]
        glue = draw(st.sampled_from([", ", ",\n" + " " * 9, " ,"]))
        lines.append(
            f"{' ' * 2 * step}config: {{{glue.join(inner)}}}{draw(st.sampled_from(COMMENTS))}"
        )
    else:
        anchor = draw(st.sampled_from(["", " &c", " !!map"]))
        lines.append(f"{' ' * 2 * step}config:{anchor}{draw(st.sampled_from(COMMENTS))}")
        for key, value in draw(entries(indent=3 * step)):
            comment = draw(st.sampled_from(COMMENTS)) if "\n" not in value else ""
            gap = draw(
                st.sampled_from(["", "", "\n", f"{' ' * draw(st.integers(0, 9))}# between\n"])
            )
            space = draw(st.sampled_from([" ", "   "]))
            lines.append(f"{gap}{' ' * 3 * step}{key}:{space}{value}{comment}")
        if draw(st.booleans()):
            key = draw(st.sampled_from(["pass", "password"]))
            for line in (f"login: &l {{type: Password, user: u, {key}: $ID}}  # l", "several:",
                         "- *l", "- <<: *l  # merged", "  user: $NAME", f"  {key}: q"):  # fmt: skip
                lines.append(" " * 3 * step + line)
    lines += draw(
        st.sampled_from(
            [
                [], ["processor: {type: shout}"], ["...", ""],
                ["processor:", "   type: shout  # c", "# d", "   config:", "     volume: 3", "#e"],
                ["sink:", "    type: catalog", "    config:", "", "# end"],
            ]
        )
    )  # fmt: skip
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return "\n".join(lines).replace("\n", end) + draw(st.sampled_from(["", end]))


@settings(deadline=None, max_examples=60)
@given(workflows())
@example(HEAD + "      password: |+2\n          x\n \n\n  sourceConfig: {}\n")
def test_nothing_else_is_changed(fix, text):
    try:
        fixed = fix(text)
    except ConfigError:
        assume(False)  # not YAML, by an odd combination
        return
    before, after = fixed.before, fixed.after
    assert (after.error is None) == (before.error is None)
    if before.workflow is not None:
        one, other = (
            dataclasses.replace(reading.workflow, warnings=()) for reading in (before, after)
        )
        assert one == other
    assert not after.problems.rewrites
    assert not fixed.by_hand
    assert COMMENT.findall(fixed.new) == COMMENT.findall(text)
    assert re.findall("\r?\n", fixed.new)[:1] == re.findall("\r?\n", text)[:1]
    old, new = text.split("\n"), fixed.new.split("\n")
    if not re.search("password|processor", text):
        assert len(old) == len(new)
        for one, other in zip(old, new, strict=True):
            assert one == other or re.search(r"sandbox|database|\$ID|\$NAME|Shop|pass:", one)
    if not re.search("pass|processor|Shop|sandbox|database|[$](ID|NAME)", text):
        assert fixed.new == text


@settings(deadline=None)
@given(st.text(max_size=30), st.integers(0, len(PATTERNS)), st.booleans())
def test_no_text_makes_it_fail(fix, inserted, at, is_json):
    text = PATTERNS[:at] + inserted + PATTERNS[at:]
    try:
        fixed = fix(text, is_json=is_json, anchor=True)
    except ConfigError:
        return
    masked_lines(fixed.after, fixed.new, is_json=is_json)


@given(st.text("$N{}:-a", max_size=12))
def test_braces_change_no_other_variable(text):
    """What the loader makes of it is the same, and a second time changes nothing."""
    once = with_braces(text, {"N"})
    assert with_braces(once, {"N"}) == once
    assert once.replace("${N}", "$N") == text.replace("${N}", "$N")


def test_same_is_strict():
    assert same({"a": [1, None], "b": {}}, {"b": {}, "a": [1, None]})
    for other in ([True], [1.0], ["1"], [[]], [{}], [None]):
        assert not same([1], other)


@pytest.mark.parametrize(
    "written",
    [
        "secretToken: {}", "'secretToken': '{}'", 'secretToken: "{}"', "secretToken: &a {}",
        "secretToken: |\n  {}\n  {}", "accessToken: >-\n\n  a\n  {}", "accessToken: ${{X:-{}}}",
        "# secretToken: {}", "# MIIE{}{}", "#  token = '{}'", "accessToken: $S{}",
        "# the password {}", "accessToken: x  # was {}", "accessToken: x  #{}",
        "accessToken: {{{}}}", "accessToken: {{{}: }}",
        "extra: {{a: {{password: {}}}}}", "password: {}", "instanceDomain: https://me:{}@x.y",
    ],
)  # fmt: skip
def test_no_secret_is_shown(fix, written):
    secret = "pa55word-of-mine"
    head = connection(written.format(*[secret] * 3))
    if not written.lstrip("'").startswith(("#", "secretToken")):
        head = head.replace("hunter2-hunter2", "${SECRET}")
    head = (
        head
        if "secretToken: h" not in head or "#" in written
        else head.replace("      secretToken: hunter2-hunter2\n", "")
    )
    fixed = fix(head + "processor: {type: shout}\n")
    for reading, text in ((fixed.before, fixed.old), (fixed.after, fixed.new)):
        lines = masked_lines(reading, text, is_json=False)
        assert len(lines) == len(text.split("\n"))
        shown = "\n".join(lines)
        assert "***" in shown
        assert secret not in shown
        assert "hunter2" not in shown


def test_a_comment_without_a_secret_is_shown(fix):
    text = connection("# connectionOptions:\n#   key: value\n# database: lake")
    fixed = fix(text)
    assert masked_lines(fixed.after, text, is_json=False)[7:10] == text.splitlines()[7:10]


def test_variables_in_secrets_are_shown(fix):
    fixed = fix(
        connection("accessToken: a$SECRET-$other${SECRET}b").replace("hunter2-hunter2", "$SECRET")
    )
    old = masked_lines(fixed.before, fixed.old, is_json=False)
    new = masked_lines(fixed.after, fixed.new, is_json=False)
    assert old[6:8] == [
        "      secretToken: $SECRET",
        "      accessToken: ***$SECRET***${SECRET}***",
    ]
    assert new[6:8] == [
        "      secretToken: ${SECRET}",
        "      accessToken: ***${SECRET}***${SECRET}***",
    ]
