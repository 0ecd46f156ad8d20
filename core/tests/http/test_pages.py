"""Paginators: nothing skipped, nothing endless."""

from __future__ import annotations

import pytest

from metaglean.errors import ItemError
from metaglean.http import UnexpectedBody, cursor_pages, link_pages, offset_pages

ALL = [{"id": n} for n in range(23)]


def sliced(reply, cap=None, wrap=None):
    def api(request):
        limit = int(request.query.get("limit", 10))
        begin = int(request.query.get("offset", 0))
        page = ALL[begin : begin + min(limit, cap or limit)]
        return reply({"data": {"items": page}} if wrap else page)

    return api


def test_offset_pages(serve, connect, reply):
    server = serve(sliced(reply))
    assert list(offset_pages(connect(server), "/x", 10, {"sort": "id"})) == ALL
    assert [r.query["offset"] for r in server.requests] == ["0", "10", "20", "23"]
    assert {r.query["sort"] for r in server.requests} == {"id"}


def test_offset_pages_until_short(serve, connect, reply):
    server = serve(sliced(reply))
    assert list(offset_pages(connect(server), "/x", 10, until_short=True)) == ALL
    assert len(server.requests) == 3


def test_a_server_that_caps_its_pages_loses_nothing(serve, connect, reply):
    server = serve(sliced(reply, cap=7))
    assert list(offset_pages(connect(server), "/x", 10)) == ALL


@pytest.mark.parametrize("items", ["data.items", lambda body: body["data"]["items"]])
def test_offset_pages_with_other_names(serve, connect, reply, items):
    server = serve([reply({"data": {"items": [1, 2]}}), reply({"data": {"items": []}})])
    found = offset_pages(
        connect(server), "/x", 2, limit_key="size", offset_key="from", items=items, start=1
    )
    assert list(found) == [1, 2]
    assert [r.query for r in server.requests] == [
        {"size": "2", "from": "1"}, {"size": "2", "from": "3"},
    ]  # fmt: skip


def test_the_same_page_again_is_an_error(serve, connect, reply):
    server = serve([reply(ALL[:10])])
    found = []
    with pytest.raises(UnexpectedBody, match="the same page again"):
        found.extend(offset_pages(connect(server), "/x", 10))
    assert len(server.requests) == 2


def test_a_page_that_fails_raises(serve, connect, reply):
    server = serve([reply(ALL[:10]), reply({}, 400)])
    pages = offset_pages(connect(server), "/x", 10)
    assert [next(pages) for _ in range(10)] == ALL[:10]
    with pytest.raises(ItemError):
        next(pages)


@pytest.mark.parametrize("body", [{}, {"data": None}, None, 5, {"data": {"items": {}}}])
def test_no_list_is_an_error(serve, connect, reply, body):
    for items in (None, "data.items"):
        with pytest.raises(UnexpectedBody, match="instead of a list"):
            list(offset_pages(connect(serve([reply(body)])), "/x", 10, items=items))


def test_html_page_is_an_error(serve, connect, reply):
    server = serve([reply(b"<html>", headers={"Content-Type": "text/html"})])
    with pytest.raises(UnexpectedBody, match="text/html"):
        list(offset_pages(connect(server), "/x", 10))


def test_cut_page_of_any_type_is_retried(serve, connect, reply):
    text = {"Content-Type": "text/plain"}
    server = serve([reply(b"[1, 2", headers=text), reply(b"[1, 2]", headers=text), reply([])])
    assert list(offset_pages(connect(server), "/x", 10)) == [1, 2]


@pytest.mark.parametrize("end", [None, "", "absent"])
def test_cursor_pages(serve, connect, reply, end):
    last = {"items": [3]} if end == "absent" else {"items": [3], "paging": {"after": end}}
    server = serve([reply({"items": [1, 2], "paging": {"after": "c1"}}),
                    reply({"items": [], "paging": {"after": "c2"}}), reply(last)])  # fmt: skip
    found = cursor_pages(
        connect(server), "/x", {"limit": 2}, next_cursor="paging.after", cursor_key="after"
    )
    assert list(found) == [1, 2, 3]
    assert [r.query.get("after") for r in server.requests] == [None, "c1", "c2"]
    assert {r.query["limit"] for r in server.requests} == {"2"}


@pytest.mark.parametrize(
    "paging", [{"after": ["c1"]}, {"after": {"id": 1}}, {"after": True}, "c1", 7]
)
def test_a_next_page_of_an_odd_type_is_not_the_end(serve, connect, reply, paging):
    server = serve([reply({"items": [1], "paging": paging})])
    with pytest.raises(UnexpectedBody, match=r"instead of the next page at 'paging\.after'"):
        list(cursor_pages(connect(server), "/x", next_cursor="paging.after"))
    with pytest.raises(UnexpectedBody, match="instead of the next page"):
        list(link_pages(connect(server), "/x", next_link="paging.after", items="items"))


@pytest.mark.parametrize("paging", [{"after": False}, {}, [], None, ""])
def test_a_next_page_that_is_not_there_is_the_end(serve, connect, reply, paging):
    server = serve([reply({"items": [1], "paging": paging})])
    assert list(cursor_pages(connect(server), "/x", next_cursor="paging.after")) == [1]


def test_cursor_that_comes_again(serve, connect, reply):
    server = serve([reply({"items": [1], "next": "c1"}), reply({"items": [1], "next": "c1"})])
    with pytest.raises(UnexpectedBody, match="again"):
        list(cursor_pages(connect(server), "/x"))
    assert len(server.requests) == 2


def test_link_pages_in_the_body(serve, connect, reply):
    server = serve([reply({"items": [1], "next": "/y?page=2"}),
                    reply({"items": [2], "next": "?page=3"}), reply({"items": [3]})])  # fmt: skip
    found = link_pages(connect(server), "/x", {"a": "b"}, next_link="next", items="items")
    assert list(found) == [1, 2, 3]
    assert [(r.path, r.query) for r in server.requests] == [
        ("/x", {"a": "b"}), ("/y", {"page": "2"}), ("/y", {"page": "3"}),
    ]  # fmt: skip


def test_link_pages_in_the_header(serve, connect, reply):
    link = '</x?page=1>; rel="prev", </x?page=2>; title="a"; rel="next"'
    server = serve([reply([1], headers={"Link": link}), reply([2])])
    assert list(link_pages(connect(server), "/x")) == [1, 2]
    assert server.requests[1].query == {"page": "2"}


def test_link_to_another_host(serve, connect, reply):
    server = serve([reply({"items": [1], "next": "https://elsewhere.test/x"})])
    with pytest.raises(UnexpectedBody, match="another host"):
        list(link_pages(connect(server), "/x", next_link="next", items="items"))


def test_link_that_comes_again(serve, connect, reply):
    server = serve([reply({"items": [1], "next": "/x"})])
    with pytest.raises(UnexpectedBody, match="again"):
        list(link_pages(connect(server), "/x", next_link="next", items="items"))
