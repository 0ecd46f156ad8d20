"""The page of `metaglean catalog html` in a real browser: search, keyboard, addresses, markup."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from tests.browser.company import TAGS
from tests.browser.oddities import ENTITIES, HOSTILE, JAVASCRIPT, SCHEMA, SCRIPT

from metaglean import fqn

DOWN, UP, ENTER, ESCAPE, TAB = "\ue015", "\ue013", "\ue007", "\ue00c", "\ue004"
RESULTS = "#results h2 a"
BELOW = ".".join(SCHEMA)
# Types into the search box, and gives what is shown when the event is over, and after how long.
TYPE = """
const began = performance.now();
const box = document.getElementById("search");
box.focus();
box.value = arguments[0];
box.dispatchEvent(new Event("input", { bubbles: true }));
const titles = [...document.querySelectorAll("#results h2 a")].map((link) => link.textContent);
return [titles, performance.now() - began];
"""


def typed(page, text):
    return page.run(TYPE, text)[0]


def test_ten_thousand_tables_are_small_and_found_at_once(large, large_file):
    assert large_file.stat().st_size < 15_000_000
    large.open()
    titles, milliseconds = large.run(TYPE, "customer gold")
    assert len(titles) == 50
    # The figure asked for is 300, on a machine that does nothing else: benchmarks/page.py.
    assert milliseconds < 3000
    assert "customer" in titles[0].lower()
    assert "Gold" in large.texts("#results > li:first-child mark")
    large.until(lambda: "q=customer+gold" in large.place)
    count = large.text("#count").split()[0]
    large.until(lambda: large.text("#status").startswith(f"{count} tables for “customer gold”"))


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("city", ".found code"),  # a column
        ("its number", ".found li"),  # what a column means
        ("percent", "p"),  # a description
        ("fatima@acme.test", ".chip.owner"),
        ("_arrow_", ".chip.tag"),
        ("__proto__", "h2"),
    ],
)
def test_search_says_where_it_found_something(odd, query, where):
    odd.open()
    assert typed(odd, query)
    [first] = odd.texts("#results > li:first-child mark")[:1]
    assert first.lower() == query.split()[0]
    marks = f"#results > li:first-child {where} mark"
    assert odd.texts(marks), odd.texts("#results > li:first-child")


def test_every_word_must_be_found_and_names_come_first(odd):
    odd.open()
    assert typed(odd, "NESTED")[0] == "nested"
    assert typed(odd, "nested finance street") == ["nested"]
    assert typed(odd, "nested qqq") == []
    assert "Nothing was found" in odd.text(".notice")
    assert "long_gone" not in typed(odd, "long_gone")


def test_without_a_mouse(large):
    large.open().press("/")
    assert large.focused == "search"
    large.press(*"order_id")
    large.until(lambda: large.texts(RESULTS))
    first, second = large.texts(RESULTS)[:2]
    large.press(DOWN, DOWN)
    assert large.focused == second
    large.press(UP, UP)
    assert large.focused == "search"
    large.press(DOWN, ENTER)
    large.heading(first)
    assert large.focused == first  # the heading, so that it is read out
    assert large.place.startswith("#/table/")
    large.press(ESCAPE)
    large.heading("Search")
    assert large.focused == first
    large.press(ESCAPE)
    assert large.focused == "search"
    large.press(ESCAPE, *"invoice", ENTER)
    large.until(lambda: large.place.startswith("#/table/"))
    large.open().press("/", *"zz")
    large.press(ESCAPE)
    assert large.run("return document.getElementById('search').value") == ""
    large.open().press(TAB)
    assert large.focused == "skip"
    large.press(ENTER)
    assert large.focused == "content"


def test_back_is_where_the_reader_was(large):
    large.open("#/tables?q=order")
    [link] = large.texts(f"#results > li:nth-child(30) {RESULTS.split()[1]} a")
    large.run(
        "scrollTo(0, 1500); const a = document.querySelector('#results > li:nth-child(30) a');"
        " a.focus({preventScroll: true}); a.click()"
    )
    large.heading(link)
    assert large.run("return scrollY") == 0
    large.driver.back()
    large.heading("Search")
    assert large.place == "#/tables?q=order"
    assert large.run("return document.getElementById('search').value") == "order"
    assert (large.focused, large.run("return scrollY")) == (link, 1500)
    large.driver.forward()
    large.heading(link)


def test_typing_is_one_step_of_the_history(large):
    large.open()
    large.press("/", *"sensor")
    large.until(lambda: large.place.endswith("q=sensor"))
    large.run("document.querySelector('#results h2 a').click()")
    large.until(lambda: large.place.startswith("#/table/"))
    large.driver.back()
    large.until(lambda: large.place == "#/tables?q=sensor" and large.texts(RESULTS))
    large.driver.back()
    large.until(lambda: large.place in {"", "#/"} and large.texts(".numbers"))


@pytest.mark.parametrize("name", ["dotted.name 100%", "__proto__", HOSTILE])
def test_a_link_leads_to_a_table(odd, name):
    odd.open("#/tables?q=" + quote(name) + f"&within={BELOW}")
    address = odd.run("return document.querySelector('#results h2 a').getAttribute('href')")
    odd.open(address)
    assert odd.texts("h1") == [name]
    assert odd.driver.title.startswith(name)


def test_what_is_not_there_is_said(odd):
    for place in ("#/table/no.such.table", "#/nothing", "#/table/%E0%A4%A"):
        odd.open(place)
        assert odd.texts("h1") == ["Not found"]


def test_filters_are_in_the_address(large):
    large.open("#/tables")
    every = large.texts("#count")
    large.choose("within", "lake.events")
    large.choose("tag", "Tier.Gold")
    large.choose("owner", "Finance (team)")
    large.choose("type", "View")
    assert large.place == (
        "#/tables?within=lake.events&tag=Tier.Gold&owner=Finance+%28team%29&type=View"
    )
    assert large.focused == "filter-type"
    assert all(path.startswith("lake.events.") for path in large.texts("#results .path"))
    rows = large.texts("#results .facts")
    assert rows
    assert all("Finance (team)" in row and "View" in row for row in rows)
    large.click(".clear")
    large.until(lambda: large.texts("#count") == every)


def test_what_is_gone_is_shown_on_demand(odd):
    odd.open(f"#/tables?within={BELOW}")
    assert "long_gone" not in odd.texts(RESULTS)
    odd.click("#filter-deleted")
    odd.until(lambda: "long_gone" in odd.texts(RESULTS))
    odd.open(f"#/table/{BELOW}.long_gone")
    assert "deleted" in odd.text("h1 .pill")


def test_pages(large):
    large.open("#/tables")
    first = large.texts(RESULTS)
    assert first == sorted(first, key=str.casefold)
    large.click(".pager a[aria-label='Page 2']")
    large.until(lambda: large.place == "#/tables?page=2")
    second = large.texts(RESULTS)
    assert len(second) == 50
    assert second != first
    assert large.text(".pager [aria-current]") == "2"
    large.open("#/tables?page=99999")
    assert large.text(".pager [aria-current]") == "200"


def test_columns_inside_columns_keys_lineage_and_profile(odd):
    odd.open(f"#/table/{BELOW}.nested")
    assert odd.texts(".columns tbody th code") == ["id", "address", "street", "city"]
    assert odd.texts(".depth-1 code") == ["street", "city"]
    assert "primary key" in odd.texts(".columns tbody td")[0]
    assert odd.texts("section h2") == [
        "Columns", "Keys", "Lineage", "Profile", "Last changes"
    ]  # fmt: skip
    assert "foreign key id → warehouse.analytics.finance.wide.field_0000" in " ".join(
        odd.texts("section .plain li")
    )
    assert odd.texts("#lineage ~ ul .break") == ["flows.load", f"{BELOW}.long_gone"]
    assert odd.texts(".profile td") == ["25.0 %", "1,200", "1", "5,000,000", ""]
    odd.open(f"#/table/{BELOW}.wide")
    assert not {"Lineage", "Profile", "Keys"} & set(odd.texts("section h2"))


def test_a_thousand_columns_come_in_steps(odd):
    odd.open(f"#/table/{BELOW}.wide")
    assert len(odd.texts(".columns tbody tr")) == 200
    odd.click("section button")
    assert odd.texts(".columns tbody tr th")[-1] == "field_0399"
    assert odd.focused == "field_0200"
    for _ in range(3):
        odd.click("section button")
    assert odd.texts("section button") == []
    assert len(odd.texts(".columns tbody tr")) == 1000


def test_markup_in_names_is_text(odd):
    """Every field is hostile; the page shows them as they are, and makes nothing of them."""
    found = odd.open("#/tables?q=onerror").texts(RESULTS)
    assert found == [HOSTILE]
    odd.click(RESULTS)
    odd.heading(HOSTILE)
    shown = odd.text("main")
    for text in (HOSTILE, SCRIPT, ENTITIES, JAVASCRIPT):
        assert text in shown
    for place in (
        "#/",
        "#/tables",
        f"#/tables?q={quote(SCRIPT)}",
        f"#/tables?tag={quote(HOSTILE)}",
    ):
        odd.open(place)
        assert odd.run("return document.querySelectorAll('img, main script, iframe').length") == 0
        assert "owned" not in odd.driver.title.split(",")[0] or SCRIPT in odd.driver.title
    links = "return [...document.querySelectorAll('a')].map((a) => a.protocol)"
    assert set(odd.run(links)) == {"file:"}


def test_the_policy_lets_nothing_in(odd):
    """What the page itself would do wrong, the browser refuses."""
    odd.open()
    scripts = (
        "document.body.innerHTML = '<img src=x>'",
        "const s = document.createElement('script'); s.text = 'document.title = 1'",
    )
    for script in scripts:
        assert "TrustedHTML" in odd.run(refused(script)) or "TrustedScript" in odd.run(
            refused(script)
        )
    asked = "return fetch('http://127.0.0.1:9/').then(() => 'answered', (error) => error.name)"
    assert odd.run(asked) == "TypeError"
    told = " ".join(odd.errors())
    assert "Content Security Policy" in told


def refused(script):
    return f"try {{ {script}; return 'done' }} catch (error) {{ return error.message }}"


def test_nothing_is_asked_of_a_network(large):
    large.driver.get_log("performance")
    large.open("#/tables?q=order")
    large.click(RESULTS)
    large.until(lambda: large.place.startswith("#/table/"))
    events = [json.loads(e["message"])["message"] for e in large.driver.get_log("performance")]
    urls = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert urls
    assert {url.partition(":")[0] for url in urls} <= {"file", "about", "data"}
    assert large.run("return performance.getEntriesByType('resource').length") == 0


PLACES = {
    "start": "#/",
    "search": "#/tables?q=customer+gold",
    "table": f"#/table/{BELOW}.nested",
    "runs": "#/runs",
    "hostile": f"#/tables?q={quote(HOSTILE)}",
    "hostile-table": f"#/table/{quote(fqn.build((*SCHEMA, HOSTILE)))}",
    "long": f"#/tables?q={'x' * 9}",
    "long-table": f"#/table/{BELOW}.{'x' * 256}",
    "nothing": "#/tables?q=qqqq",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(odd, theme):
    """By the rules of axe: names, roles, headings, landmarks, contrast."""
    from axe_core_python.selenium import Axe

    axe = Axe()
    odd.look(theme, 1280 if theme == "light" else 400)
    found = {}
    chosen = ("start", "search", "table", "hostile") if theme == "light" else ("search", "table")
    for name in chosen:
        place = PLACES[name]
        odd.open(place)
        result = axe.run(odd.driver)
        assert len(result["passes"]) > 20
        wrong = [f"{v['id']}: {v['nodes'][0]['html']}" for v in result["violations"]]
        unclear = [f"{v['id']}?" for v in result["incomplete"] if v["id"] != "color-contrast"]
        if wrong or unclear:
            found[name] = wrong + unclear
    assert found == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_the_screen(odd, pictures, theme, width):
    odd.look(theme, width)
    grounds = set()
    # What is laid out is the same in the dark; the colours are looked at in a few places.
    for name, place in list(PLACES.items())[: 4 if theme == "dark" else None]:
        odd.open(place)
        assert odd.run("return document.documentElement.scrollWidth") <= width, name
        odd.driver.save_screenshot(str(pictures / f"{name}-{width}-{theme}.png"))
        grounds.add(odd.run("return getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 1


def test_on_paper_there_is_the_content_alone(odd):
    odd.look(theme="dark", media="print")
    odd.open(f"#/table/{BELOW}.nested")
    shown = "return getComputedStyle(document.querySelector(arguments[0])).display"
    assert odd.run(shown, ".top") == odd.run(shown, ".foot") == "none"
    assert odd.run(shown, ".columns thead") == "table-header-group"
    assert odd.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_start_leads_on(odd):
    odd.open()
    assert odd.text("h1") == "domo, lake, warehouse"
    numbers = dict(zip(odd.texts(".numbers dt"), odd.texts(".numbers dd"), strict=True))
    assert numbers["tables"] == "66"  # 60 and the odd ones that stand
    assert (numbers["schemas"], numbers["pipeline"]) == ("10", "1")
    assert len(odd.texts(".runs tbody tr")) == 5
    assert {f"{tag['classification']}.{tag['name']}" for tag in TAGS} & {
        text.rstrip("0123456789") for text in odd.texts(".chip.tag")
    }
    odd.run(
        "[...document.querySelectorAll('.tree a')].find((a) => a.textContent === 'finance').click()"
    )
    odd.heading("Tables")
    assert odd.text(".scope") == "Data of finance."
    odd.open("#/runs")
    assert len(odd.texts(".runs tbody tr")) == 12
    assert "failed" in odd.texts(".runs .pill")


def test_a_file_that_was_cut_off_says_so(driver, odd_file, tmp_path):
    from tests.browser.page import Page

    text = odd_file.read_text("utf-8")
    block = text.index('data-block="index">') + 200
    file = tmp_path / "cut.html"
    file.write_text(text[:block] + text[text.index("<", block) :], "utf-8")
    page = Page(driver, file)
    driver.get(file.as_uri())
    page.until(lambda: page.texts("[role=alert]"))
    assert "damaged" in page.text("main")
    assert page.errors()


def test_an_empty_catalog_has_nothing_to_show_and_says_so(empty):
    empty.open()
    assert empty.texts("h1") == ["Empty catalog"]
    assert empty.texts("main p") == [
        "Nothing was ingested yet.",
        "No tables stand in this catalog.",
    ]
    assert empty.texts("section, .numbers") == []
    assert typed(empty, "anything") == []
