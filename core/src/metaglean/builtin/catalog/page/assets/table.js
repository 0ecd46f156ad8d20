// The page of one table.

const COLUMN_PAGE = 200;
const CONSTRAINTS = { PRIMARY_KEY: "primary key", UNIQUE: "unique", NOT_NULL: "not null", NULL: "nullable" };

/** Everything about one table; `detail` is what data.js unpacked for it. */
function tableView({ catalog }, table, detail) {
  const { title } = table;
  return {
    title,
    body: [
      crumbs(catalog, table),
      el("h1", { tabindex: "-1" }, title, table.deleted ? el("span", { class: "pill bad" }, "deleted") : null),
      title === table.name ? null : el("p", { class: "path" }, soft(table.name)),
      el("p", { class: "facts" },
        el("span", {}, catalog.types[table.type]),
        el("span", {}, counted(table.count, "column")),
        chips(catalog.tags, table.tags, "tag")),
      table.description ? el("p", { class: "prose" }, table.description) : null,
      factList(catalog, table, detail),
      columnSection(catalog, table, detail),
      keySection(detail),
      detail.sql ? section("sql", "Definition", el("pre", { tabindex: "0", role: "region", "aria-labelledby": "sql" }, el("code", {}, detail.sql))) : null,
      lineageSection(catalog, detail.lineage),
      profileSection(detail.profile),
      historySection(detail.history),
      moreSection(detail),
    ],
  };
}

/** Where the table is, each level a link. */
function crumbs(catalog, table) {
  const { levels } = catalog.scopes[table.scope];
  const items = levels.map(({ title, fqn }) =>
    el("li", {}, el("a", { href: address("tables", { within: fqn }) }, title)));
  return el("nav", { class: "crumbs", "aria-label": "Path" }, el("ol", {}, items));
}

function factList(catalog, table, detail) {
  const facts = [
    ["Owners", table.owners.length ? chips(catalog.owners, table.owners, "owner") : null],
    ["Source", detail.url ? outside(detail.url) : null],
    ["Created", detail.created ? time(detail.created / 1000) : null],
    ["Last loaded", detail.written ? time(detail.written / 1000) : null],
    ["Last change here", time(table.updated)],
    ["Full name", el("code", { class: "break" }, soft(table.fqn))],
  ];
  return el("dl", { class: "details" }, facts.filter(([, value]) => value).map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** The columns, those inside others indented; many of them in steps. */
function columnSection(catalog, table, detail) {
  const names = parts(table.columns);
  if (!names.length) return section("columns", "Columns", el("p", { class: "quiet" }, "None are known."));
  const [titles, texts] = [parts(table.columnTitles), parts(table.columnTexts)];
  const tags = new Map();
  for (let i = 0; i < table.columnTags.length; i += 2) {
    tags.set(table.columnTags[i], [...(tags.get(table.columnTags[i]) ?? []), table.columnTags[i + 1]]);
  }
  const cellOf = {
    Name: (n) => columnName(names[n], titles[n], detail.depths?.[n] ?? 0),
    Type: (n) => [el("code", {}, detail.types[n]), constraintText(detail.constraints?.[n])],
    Tags: (n) => chips(catalog.tags, tags.get(n) ?? [], "tag"),
    Description: (n) => texts[n] ?? "",
  };
  const empty = { Tags: tags.size === 0, Description: texts.length === 0 };
  const heads = Object.keys(cellOf).filter((head) => !empty[head]);
  const cellsOf = (_, n) => heads.map((head) => cellOf[head](n));
  const first = names.slice(0, COLUMN_PAGE).map(cellsOf);
  const made = grid(`Columns of ${table.name}`, heads, first, { class: "columns" });
  return section("columns", "Columns", made, moreButton(made, heads, names, cellsOf));
}

/** A button that shows the next columns, or null where all are shown. */
function moreButton(made, heads, names, cellsOf) {
  if (names.length <= COLUMN_PAGE) return null;
  let shown = COLUMN_PAGE;
  const body = made.querySelector("tbody");
  const textOf = () => `Show ${counting.format(Math.min(COLUMN_PAGE, names.length - shown))} more of ${counted(names.length, "column")}`;
  const button = el("button", { type: "button" }, textOf());
  button.addEventListener("click", () => {
    const next = names.slice(shown, shown + COLUMN_PAGE).map((name, n) => cellsOf(name, shown + n));
    const rows = next.map((cells) => gridRow(heads, cells));
    body.append(...rows);
    shown += rows.length;
    announce(`${counting.format(shown)} of ${counted(names.length, "column")} shown`);
    rows[0].querySelector("th").tabIndex = -1;
    rows[0].querySelector("th").focus({ preventScroll: true });
    if (shown < names.length) button.textContent = textOf();
    else button.remove();
  });
  return button;
}

function columnName(name, title, depth) {
  const inside = depth ? el("span", { class: "unseen" }, `level ${depth + 1}: `) : null;
  return [
    el("span", { class: `depth depth-${Math.min(depth, 6)}` }, inside, el("code", {}, name)),
    title && title !== name ? el("span", { class: "quiet" }, ` ${title}`) : null,
  ];
}

function constraintText(word) {
  return word ? el("span", { class: "quiet" }, ` ${CONSTRAINTS[word] ?? word}`) : null;
}

function keySection(detail) {
  if (!detail.keys?.length) return null;
  return section("keys", "Keys", el("ul", { class: "plain" }, detail.keys.map(([kind, columns, referred]) =>
    el("li", {}, el("span", {}, kind.toLowerCase().replaceAll("_", " "), " "), el("code", {}, columns.join(", ")),
      referred.length ? [" → ", el("code", {}, referred.join(", "))] : null))));
}

/** What the table is made from, and what is made from it. */
function lineageSection(catalog, lineage) {
  if (!lineage) return null;
  const list = (edges) => el("ul", { class: "plain" }, edges.map(([kind, name, source, columns]) =>
    el("li", {},
      catalog.byName.has(name) && kind === "table" ? el("a", { class: "break", href: addressOf(name) }, soft(name)) : el("span", { class: "break" }, soft(name)),
      el("span", { class: "quiet" }, [kind === "table" ? "" : kind, source].filter(Boolean).join(", ")),
      columns.length ? el("ul", { class: "found", "aria-label": "Columns" }, columns.map(([from, to]) =>
        el("li", {}, el("code", {}, from), " → ", el("code", {}, to)))) : null)));
  const side = (title, edges) => edges.length ? [el("h3", {}, title), list(edges)] : null;
  return section("lineage", "Lineage", side("Upstream", lineage.upstream), side("Downstream", lineage.downstream));
}

function profileSection(profile) {
  if (!profile) return null;
  const heads = ["Column", "Nulls", "Distinct", "Least", "Greatest", "Mean"];
  const share = (value) => (value === null ? "" : `${(value * 100).toFixed(1)} %`);
  const figure = (value) => (typeof value === "number" ? new Intl.NumberFormat("en", { maximumFractionDigits: 3 }).format(value) : value ?? "");
  const rows = profile.columns.map(([name, nulls, distinct, least, most, mean]) => [
    el("code", {}, name), share(nulls), figure(distinct), figure(least), figure(most), figure(mean),
  ]);
  return section("profile", "Profile",
    el("p", { class: "quiet" }, "Measured ", time(profile.at / 1000),
      profile.rows === null ? "" : `, ${counted(profile.rows, "row")}`,
      profile.bytes === null ? "" : `, ${counting.format(profile.bytes)} bytes`, "."),
    rows.length ? grid("Profile of the columns", heads, rows, { class: "profile" }) : null);
}

function historySection(events) {
  if (!events.length) return null;
  const value = (text) => text === "" ? el("span", { class: "quiet" }, "nothing") : el("span", { class: "break" }, text);
  return section("history", "Last changes", el("ol", { class: "history" }, events.map(([at, run, action, fields]) =>
    el("li", {},
      el("p", {}, el("span", { class: "strong" }, action), el("span", { class: "quiet" }, " ", time(at), ` · run ${run}`)),
      fields.length ? el("dl", {}, fields.map(([path, before, after]) =>
        el("div", {}, el("dt", {}, path), el("dd", {}, value(before), " → ", value(after))))) : null))));
}

/** What one platform knows beyond the usual. */
function moreSection(detail) {
  const facts = [["Id at the source", detail.id ?? ""], ...detail.facets].filter(([, value]) => value);
  if (!facts.length) return null;
  return section("more", "From the source", el("dl", { class: "details" }, facts.map(([name, value]) =>
    el("div", {}, el("dt", { class: "break" }, name), el("dd", { class: "break" }, value)))));
}
