// The list of tables: filters, results, pages.

const PAGE = 50;
const FOUND = 3; // columns that a result names

/** The list for the parameters of the address: q, within, owner, tag, type, deleted, sort, page. */
function listView({ catalog, searcher }, parameters) {
  const filters = Object.fromEntries(parameters);
  const { words, found } = find(searcher, filters.q ?? "", filters);
  const pages = Math.max(1, Math.ceil(found.length / PAGE));
  const page = Math.min(Math.max(1, Number.parseInt(filters.page ?? "1", 10) || 1), pages);
  const first = (page - 1) * PAGE;
  const shown = found.slice(first, first + PAGE);
  const count = filters.q
    ? `${counted(found.length, "table")} for “${filters.q}”`
    : counted(found.length, "table");
  return {
    title: filters.q ? `${filters.q}, search` : "Tables",
    status: `${count}${pages > 1 ? `, page ${page} of ${pages}` : ""}`,
    body: [
      el("h1", { tabindex: "-1" }, filters.q ? "Search" : "Tables"),
      filterBar(catalog, filters),
      scopeText(catalog, filters.within),
      el("p", { class: "lead", id: "count" }, count, found.length > PAGE ? `, ${first + 1} to ${first + shown.length} shown` : "", "."),
      shown.length
        ? el("ol", { class: "results", id: "results", start: first + 1, "aria-label": "Tables" },
          shown.map((table) => el("li", {}, resultOf(catalog, table, words))))
        : nothingFound(filters),
      pages > 1 ? pager(filters, page, pages) : null,
    ],
  };
}

/** One result: name, path, what was found, and what it is. */
function resultOf(catalog, table, words) {
  const { title } = table;
  return el("article", {},
    el("h2", {}, el("a", { href: addressOf(table.fqn) }, ...marked(title, words)),
      table.deleted ? el("span", { class: "pill bad" }, "deleted") : null),
    el("p", { class: "path" }, ...softly(marked(pathOf(catalog, table, title), words))),
    table.description ? el("p", {}, ...marked(excerpt(table.description, words), words)) : null,
    foundIn(catalog, table, words),
    el("p", { class: "facts" },
      el("span", {}, catalog.types[table.type]),
      el("span", {}, counted(table.count, "column")),
      chips(catalog.owners, table.owners, "owner", words),
      chips(catalog.tags, table.tags, "tag", words)));
}

/** Where a table is; with its own name where the title is another one. */
function pathOf(catalog, table, title) {
  const scope = catalog.scopes[table.scope].fqn;
  return title === table.name ? scope : `${scope}.${table.name}`;
}

/** The columns in which a word was found: in their name, their meaning or their tags. */
function foundIn(catalog, table, words) {
  if (!words.length) return null;
  const holds = (text) => words.some((word) => text.toLowerCase().includes(word));
  const tagged = new Map();
  for (let i = 0; i < table.columnTags.length; i += 2) {
    const { label } = catalog.tags[table.columnTags[i + 1]];
    if (holds(label)) tagged.set(table.columnTags[i], label);
  }
  const searched = [table.columns, table.columnTitles, table.columnTexts];
  if (!tagged.size && !searched.some(holds)) return null;
  const [names, titles, texts] = searched.map(parts);
  const hits = [];
  let more = 0;
  names.forEach((name, position) => {
    const text = texts[position] ?? "";
    const tag = tagged.get(position);
    const named = holds(name) || holds(titles[position] ?? "");
    if (!named && !tag && !holds(text)) return;
    if (hits.length === FOUND) {
      more += 1;
      return;
    }
    const said = tag ? `: ${tag}` : named ? "" : `: ${excerpt(text, words, 90)}`;
    hits.push(el("li", {}, el("code", {}, ...marked(name, words)), ...marked(said, words)));
  });
  return el("ul", { class: "found", "aria-label": "Found in columns" }, hits,
    more ? el("li", { class: "quiet" }, `and ${counted(more, "column")} more`) : null);
}

function nothingFound(filters) {
  const narrowed = filters.within || filters.owner || filters.tag || filters.type;
  return el("p", { class: "notice" }, "Nothing was found. ",
    narrowed ? el("a", { href: address("tables", { q: filters.q, deleted: filters.deleted }) }, "Search without the filters") : "Every word must stand in a name, a column, a description, an owner or a tag.");
}

/** What is known of the scope that the list is narrowed to. */
function scopeText(catalog, within) {
  const one = within ? catalog.containers.find((container) => container.fqn === within) : null;
  return one && one.description ? el("p", { class: "scope" }, one.description) : null;
}

let bar = { key: "", element: null }; // the filters that were made last

/** The filters. While somebody types only the results are made anew, so these are kept. */
function filterBar(catalog, filters) {
  const { q, page, ...chosen } = filters;
  const key = JSON.stringify([Boolean(q), chosen]);
  if (bar.key !== key) bar = { key, element: newFilterBar(catalog, filters) };
  bar.element.querySelector(".clear")?.setAttribute("href", address("tables", { q }));
  return bar.element;
}

/** Each filter changes the address. On narrow screens they fold away unless one is in use. */
function newFilterBar(catalog, filters) {
  const deleted = el("input", { type: "checkbox", id: "filter-deleted", checked: Boolean(filters.deleted) });
  deleted.addEventListener("change", () => refine({ deleted: deleted.checked ? "1" : "" }));
  const active = ["within", "owner", "tag", "type", "deleted", "sort"].some((key) => filters[key]);
  const open = active || matchMedia("(min-width: 44rem)").matches;
  const inside = catalog.containers.map((one) => [one.fqn, `${"\u2003".repeat(one.depth)}${one.title}`]);
  const orders = [["name", "by name"], ["changed", "last changed first"]];
  return el("details", { class: "filters", open },
    el("summary", {}, "Filters"),
    el("div", { role: "group", "aria-label": "Filters" },
      picker("within", "In", "everything", filters, inside),
      picker("type", "Type", "any", filters, named([...catalog.types].sort())),
      picker("owner", "Owner", "anybody", filters, named(labels(catalog.owners))),
      picker("tag", "Tag", "any", filters, named(labels(catalog.tags))),
      picker("sort", "Order", filters.q ? "best first" : "by name", filters, filters.q ? orders : orders.slice(1)),
      catalog.anyDeleted
        ? el("span", { class: "check" }, deleted, el("label", { for: "filter-deleted" }, "Deleted ones too"))
        : null,
      active ? el("a", { class: "clear" }, "Clear filters") : null));
}

function labels(list) {
  return list.map((item) => item.label).sort((a, b) => a.localeCompare(b));
}

function named(values) {
  return values.map((value) => [value, value]);
}

/** A labelled select; null where there is nothing to choose. */
function picker(key, label, all, filters, options) {
  if (options.length < 2 && key !== "sort" && !filters[key]) return null;
  const id = `filter-${key}`;
  const known = options.some(([value]) => value === filters[key]);
  const choices = [["", all], ...options, ...(filters[key] && !known ? [[filters[key], filters[key]]] : [])];
  const select = el("select", { id }, choices.map(([value, text]) =>
    el("option", { value, selected: value === (filters[key] ?? "") }, text)));
  select.addEventListener("change", () => refine({ [key]: select.value }));
  return el("span", { class: "picker" }, el("label", { for: id }, label), select);
}

/** Links to the pages around this one. */
function pager(filters, page, pages) {
  const numbers = [...new Set([1, page - 1, page, page + 1, pages])].filter((n) => n >= 1 && n <= pages);
  const items = numbers.map((number, position) => {
    const gap = position > 0 && number - numbers[position - 1] > 1;
    const href = address("tables", { ...filters, page: number > 1 ? number : "" });
    return [
      gap ? el("li", { "aria-hidden": "true" }, "…") : null,
      el("li", {}, el("a", { href, "aria-label": `Page ${number}`, "aria-current": number === page ? "page" : null }, counting.format(number))),
    ];
  });
  return el("nav", { class: "pager", "aria-label": "Pages of results" }, el("ul", {}, items));
}
