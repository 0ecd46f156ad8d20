// Making elements. All text from the catalog becomes text nodes; nothing is ever parsed as HTML.

/** An element. Attributes with the value null, undefined or false are left out. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== ""));
  return element;
}

/** A link to a place of another system: only http and https, anything else is shown as text. */
function outside(url) {
  let parsed = null;
  try {
    parsed = new URL(url);
  } catch {
    return el("span", { class: "break" }, url);
  }
  const web = parsed.protocol === "https:" || parsed.protocol === "http:";
  if (!web) return el("span", { class: "break" }, url);
  return el("a", { href: parsed.href, rel: "noopener noreferrer", class: "break" }, url);
}

/** The hash of a view: `address("tables", {q: "x"})` is `#/tables?q=x`. */
function address(path, parameters = {}) {
  const used = Object.entries(parameters).filter(([, value]) => value);
  const query = new URLSearchParams(used.map(([key, value]) => [key, String(value)])).toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}

/** The hash of a table's page. */
function addressOf(name) {
  return address(`table/${encodeURIComponent(name)}`);
}

/** A text with the words of the query marked. */
function marked(text, words) {
  const lower = text.toLowerCase();
  if (!words.length || lower.length !== text.length) return [text];
  const pieces = [];
  let position = 0;
  while (position < text.length) {
    let next = -1;
    let length = 0;
    for (const word of words) {
      const at = lower.indexOf(word, position);
      if (at >= 0 && (next < 0 || at < next || (at === next && word.length > length))) {
        next = at;
        length = word.length;
      }
    }
    if (next < 0) break;
    if (next > position) pieces.push(text.slice(position, next));
    pieces.push(el("mark", {}, text.slice(next, next + length)));
    position = next + length;
  }
  pieces.push(text.slice(position));
  return pieces;
}

/** A name that may break after its dots and underscores. */
function soft(name) {
  return name.split(/(?<=[._/])/).flatMap((piece, position) => (position ? [el("wbr"), piece] : [piece]));
}

/** The same for what `marked` gave. */
function softly(pieces) {
  return pieces.flatMap((piece) => (typeof piece === "string" ? soft(piece) : [piece]));
}

/** The part of a long text around the first word, on one line. */
function excerpt(text, words, length = 180) {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= length) return line;
  const lower = line.toLowerCase();
  const hits = words.map((word) => lower.indexOf(word)).filter((at) => at >= 0);
  const first = hits.length ? Math.min(...hits) : 0;
  const start = first < length - 40 ? 0 : first - 60;
  const end = start + length;
  return `${start ? "…" : ""}${line.slice(start, end)}${end < line.length ? "…" : ""}`;
}

/** Epoch seconds as a time element, in UTC. */
function time(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const iso = date.toISOString();
  return el("time", { datetime: iso }, `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`);
}

const counting = new Intl.NumberFormat("en");

/** `counted(2, "table")` is "2 tables". */
function counted(number, noun) {
  return `${counting.format(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Tags or owners as links to the tables that have them. */
function chips(list, numbers, parameter, words = []) {
  return numbers.map((number) => {
    const { label } = list[number];
    const href = address("tables", { [parameter]: label });
    return el("a", { class: `chip ${parameter}`, href }, ...marked(label, words));
  });
}

/** A heading with what belongs below it; `id` ties them for screen readers. */
function section(id, title, ...children) {
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), ...children);
}

/** A real table. Roles stand explicitly, because narrow screens lay the rows out as blocks. */
function grid(caption, heads, rows, attributes = {}) {
  const head = heads.map((text) => el("th", { scope: "col", role: "columnheader" }, text));
  const body = rows.map((cells) => gridRow(heads, cells));
  return el("table", { role: "table", ...attributes },
    el("caption", { class: "unseen" }, caption),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head)),
    el("tbody", { role: "rowgroup" }, body));
}

/** One row of `grid`; the first cell names it. Cells are lists of children. */
function gridRow(heads, cells) {
  return el("tr", { role: "row" }, cells.map((cell, position) => {
    const children = [cell].flat().filter((child) => child !== "" && child !== null);
    const attributes = { "data-head": heads[position], class: children.length ? null : "none" };
    return position === 0
      ? el("th", { scope: "row", role: "rowheader", ...attributes }, children)
      : el("td", { role: "cell", ...attributes }, children);
  }));
}
