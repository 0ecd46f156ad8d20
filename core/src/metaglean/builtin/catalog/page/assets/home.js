// The start page and the list of runs.

const SHOWN_CONTAINERS = 40;
const SHOWN_LABELS = 24;
const SHOWN_RUNS = 5;
const SHOWN_CHANGES = 8;

/** The start page: how much there is, where to begin, what happened last. */
function homeView({ catalog, searcher }) {
  const { found } = find(searcher, "", { sort: "changed" });
  const columns = found.reduce((sum, table) => sum + table.count, 0);
  const numbers = [
    [found.length, "table", address("tables")],
    [columns, "column", null],
    [catalog.schemas, "schema", null],
    [catalog.owners.length, "owner", null],
    [catalog.tags.length, "tag", null],
    ...Object.entries(catalog.others).map(([kind, number]) => [number, kind, null]),
  ].filter(([number]) => number);
  return {
    title: "Start",
    body: [
      el("h1", { tabindex: "-1" }, catalog.services.map((one) => one.title).join(", ") || "Empty catalog"),
      el("p", { class: "lead" }, leadOf(catalog)),
      numbers.length ? el("dl", { class: "numbers" }, numbers.map(numberTile)) : null,
      found.length === 0 ? el("p", { class: "quiet" }, "No tables stand in this catalog.") : null,
      el("div", { class: "beside" },
        el("div", {}, browseSection(catalog), found.length ? changedSection(catalog, found) : null),
        el("div", {}, labelSection(catalog.tags, "tag", "Tags"), labelSection(catalog.owners, "owner", "Owners"))),
      runSection(catalog),
    ],
  };
}

function leadOf(catalog) {
  const last = catalog.runs[0];
  if (!last) return "Nothing was ingested yet.";
  return ["As of ", time(last.ended ?? last.started), ", after ", counted(catalog.runCount, "run"), "."];
}

function numberTile([number, noun, href]) {
  const text = number === 1 ? noun : `${noun}s`;
  return el("div", {},
    el("dt", {}, href ? el("a", { href }, text) : text),
    el("dd", {}, counting.format(number)));
}

/** Services with their databases and schemas, each a link to its tables. */
function browseSection(catalog) {
  if (!catalog.containers.length) return null;
  const rows = folded(catalog.containers).map(({ titles, depth, last }) =>
    el("li", { class: `level-${depth}` },
      el("a", { href: address("tables", { within: last.fqn, deleted: last.deleted && "1" }) }, soft(titles.join(" / "))),
      el("span", { class: "quiet" }, counted(last.tables, "table")),
      last.deleted ? el("span", { class: "pill bad" }, "deleted") : null,
      last.description ? el("p", { class: "quiet" }, excerpt(last.description, [])) : null));
  const list = el("ul", { class: "tree" }, rows.slice(0, SHOWN_CONTAINERS));
  const button = rows.length > SHOWN_CONTAINERS
    ? el("button", { type: "button" }, `Show all ${counting.format(rows.length)}`)
    : null;
  button?.addEventListener("click", () => {
    list.append(...rows.slice(SHOWN_CONTAINERS));
    button.remove();
    rows[SHOWN_CONTAINERS].querySelector("a").focus({ preventScroll: true });
  });
  return section("browse", "Browse", list, button);
}

/** Containers as rows: one that is all there is in the one above joins its row. */
function folded(containers) {
  const above = []; // the rows that the next one may lie in, outermost first
  const children = new Map(containers.map((one) => [one.fqn, 0]));
  const parentOf = (one) => one.fqn.slice(0, one.fqn.length - one.part.length - 1);
  for (const one of containers) {
    if (one.depth) children.set(parentOf(one), (children.get(parentOf(one)) ?? 0) + 1);
  }
  const rows = [];
  for (const one of containers) {
    while (above.length && above.at(-1).level >= one.depth) above.pop();
    const parent = above.at(-1);
    if (parent && children.get(parentOf(one)) === 1 && parent.last.deleted === one.deleted) {
      parent.titles.push(one.title);
      parent.last = { ...one, description: one.description || parent.last.description };
      parent.level = one.depth;
    } else {
      const row = { titles: [one.title], depth: above.length, level: one.depth, last: one };
      rows.push(row);
      above.push(row);
    }
  }
  return rows;
}

/** The labels with most tables; the rest is in the list's filter. */
function labelSection(list, parameter, title) {
  const used = list.filter((item) => item.tables);
  if (!used.length) return null;
  const most = [...used].sort((a, b) => b.tables - a.tables).slice(0, SHOWN_LABELS);
  const items = most.map((item) =>
    el("li", {},
      el("a", { class: `chip ${parameter}`, href: address("tables", { [parameter]: item.label }) },
        item.label, el("span", { class: "count" }, counting.format(item.tables)))));
  const more = used.length - most.length;
  return section(`by-${parameter}`, title,
    el("ul", { class: "chips" }, items),
    more > 0 ? el("p", { class: "quiet" }, `And ${counting.format(more)} more, in the filter of the `,
      el("a", { href: address("tables") }, "list of tables"), ".") : null);
}

function changedSection(catalog, found) {
  const items = found.slice(0, SHOWN_CHANGES).map((table) =>
    el("li", {},
      el("a", { href: addressOf(table.fqn) }, table.title),
      el("span", { class: "quiet" }, catalog.scopes[table.scope].fqn, " · ", time(table.updated))));
  return section("changed", "Last changed", el("ul", { class: "plain" }, items),
    el("p", {}, el("a", { href: address("tables", { sort: "changed" }) }, "All tables, last changed first")));
}

function runSection(catalog) {
  if (!catalog.runs.length) return null;
  return section("runs", "Last runs", runTable(catalog.runs.slice(0, SHOWN_RUNS)),
    catalog.runs.length > SHOWN_RUNS ? el("p", {}, el("a", { href: address("runs") }, "More runs")) : null);
}

/** The page of all runs that the page carries, newest first. */
function runsView({ catalog }) {
  const left = catalog.runCount - catalog.runs.length;
  return {
    title: "Runs",
    body: [
      el("h1", { tabindex: "-1" }, "Runs"),
      el("p", { class: "lead" }, `${counted(catalog.runCount, "run")}${left > 0 ? `, the last ${catalog.runs.length} are shown` : ""}.`),
      catalog.runs.length ? runTable(catalog.runs) : null,
    ],
  };
}

function runTable(runs) {
  const heads = ["Run", "Started", "Took", "Status", "Changes"];
  const rows = runs.map((run) => [
    [el("span", { class: "strong" }, `${run.id}`), el("span", { class: "quiet" }, ` ${run.service}`)],
    time(run.started),
    run.ended === null ? "" : tookText(run.ended - run.started),
    statusPill(run.status),
    changesText(run.counts),
  ]);
  return grid("Runs, newest first", heads, rows, { class: "runs" });
}

function statusPill(status) {
  if (!status) return el("span", { class: "pill" }, "not ended");
  return el("span", { class: `pill ${status === "success" ? "good" : "bad"}` }, status);
}

function tookText(seconds) {
  if (seconds < 60) return `${Math.max(0, seconds).toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Actions of a run, summed over all kinds: "12 created, 3 updated". */
function changesText(counts) {
  const sums = new Map();
  for (const actions of Object.values(counts)) {
    for (const [action, number] of Object.entries(actions)) {
      if (action !== "unchanged") sums.set(action, (sums.get(action) ?? 0) + number);
    }
  }
  const texts = [...sums].map(([action, number]) => `${counting.format(number)} ${action}`);
  return texts.join(", ") || "nothing";
}
