// Addresses, keyboard and focus. The address (`#/tables?q=orders`, `#/table/NAME`) is all the state.

const searchBox = document.getElementById("search");
const content = document.getElementById("content");
const status = document.getElementById("status");
let app = null; // { catalog, searcher } once the data is read
let visits = Date.now(); // numbers go on after a reload, which keeps the history
const places = new Map(); // visit → where the reader was: { scroll, href of the focused link }
let current = null; // the visit that is shown
let shownView = ""; // its view, and the one that led to it by a link
let cameFrom = "";
let announcing = 0;
let pending = null; // { timer, settle } while the address is behind what was typed

/** Says something to screen readers, when typing has paused. */
function announce(text) {
  clearTimeout(announcing);
  announcing = setTimeout(() => { status.textContent = text; }, 250);
}

/** The view of an address: { path, name, parameters }. */
function parsed(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [view, ...rest] = path.split("/");
  let name = rest.join("/");
  try {
    name = decodeURIComponent(name);
  } catch {
    // A stray percent sign: the name as it stands is the best guess.
  }
  return { view, name, parameters: new URLSearchParams(query) };
}

function missingView(text) {
  return {
    title: "Not found",
    body: [
      el("h1", { tabindex: "-1" }, "Not found"),
      el("p", { class: "notice" }, text, " ", el("a", { href: address("tables") }, "All tables"), "."),
    ],
  };
}

/** What to show for the address, perhaps as a promise. */
function viewOf({ view, name, parameters }) {
  if (view === "") return homeView(app);
  if (view === "tables") return listView(app, parameters);
  if (view === "runs") return runsView(app);
  if (view === "table") {
    const table = app.catalog.byName.get(name);
    return table
      ? app.catalog.detail(table).then((detail) => tableView(app, table, detail))
      : missingView(`There is no table ${name} in this catalog.`);
  }
  return missingView("There is no such page here.");
}

/** Shows a view in place of the one that stands. */
function show(view) {
  content.replaceChildren(...view.body.flat().filter((child) => child !== null));
  document.title = `${view.title} · Metaglean catalog`;
  for (const link of document.querySelectorAll("header nav a")) {
    const here = location.hash.split("?")[0] === link.getAttribute("href");
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view.status) announce(view.status);
}

/** Shows what the address names, and puts focus and scroll where the reader expects them. */
async function route() {
  clearTimeout(pending?.timer);
  pending = null; // too late for it: the reader went back
  leave();
  const known = history.state?.visit;
  const visit = known ?? (visits += 1);
  const first = current === null;
  if (known === undefined) history.replaceState({ visit }, "");
  current = visit;
  const target = parsed(location.hash);
  cameFrom = known === undefined ? shownView : "";
  shownView = target.view;
  const made = viewOf(target);
  const view = made instanceof Promise ? await made : made;
  if (current !== visit) return; // the reader went on meanwhile
  show(view);
  if (target.view === "tables" && document.activeElement !== searchBox) {
    searchBox.value = target.parameters.get("q") ?? "";
  } else if (target.view !== "tables") {
    searchBox.value = "";
  }
  if (!first) arrive(places.get(visit)); // a page that was just opened is read from its top
}

/** Remembers where the reader is, for the way back. */
function leave() {
  if (current === null) return;
  const link = content.contains(document.activeElement) ? document.activeElement : null;
  places.set(current, { scroll: scrollY, href: link?.getAttribute("href") ?? leaving });
  leaving = null;
}
let leaving = null; // the link that was followed

function arrive(place) {
  const links = [...content.querySelectorAll("a[href]")];
  const link = place?.href ? links.find((one) => one.getAttribute("href") === place.href) : null;
  const typing = document.activeElement === searchBox;
  if (!typing) (link ?? content.querySelector("h1"))?.focus({ preventScroll: true });
  scrollTo(0, place?.scroll ?? 0);
}

/** The address with some parameters changed, from its first page. */
function refine(changes) {
  settled();
  const { view, parameters } = parsed(location.hash);
  const before = view === "tables" ? Object.fromEntries(parameters) : {};
  const focused = document.activeElement?.id;
  location.hash = address("tables", { ...before, page: "", ...changes }).slice(1);
  // The view is made anew: a filter keeps the focus.
  addEventListener("hashchange", () => { if (focused) document.getElementById(focused)?.focus(); }, { once: true });
}

/** Shows the results while they are typed; the address follows when typing pauses. */
function typed() {
  if (app === null) return; // shown as soon as the data is read
  const { view, parameters } = parsed(location.hash);
  const filters = view === "tables" ? Object.fromEntries(parameters) : {};
  const hash = address("tables", { ...filters, page: "", q: searchBox.value.trim() });
  if (view !== "tables") {
    leave();
    history.pushState({ visit: (visits += 1) }, "", hash);
    current = visits;
  }
  shownView = "tables";
  show(listView(app, parsed(hash).parameters));
  scrollTo(0, 0);
  clearTimeout(pending?.timer);
  const settle = () => history.replaceState({ visit: current }, "", hash);
  pending = { settle, timer: setTimeout(settled, 200) };
}

/** Brings the address up to what was typed: before anybody goes elsewhere, or after a pause. */
function settled() {
  clearTimeout(pending?.timer);
  pending?.settle();
  pending = null;
}

/** The links of the results, in order. */
function resultLinks() {
  return [...content.querySelectorAll("#results h2 a")];
}

/** Arrow keys go through the results, to and from the search box. */
function moved(event, step) {
  const links = resultLinks();
  const at = links.indexOf(document.activeElement);
  const searching = document.activeElement === searchBox;
  if (!links.length || (at < 0 && !searching)) return;
  const next = at + step;
  if (next >= links.length || (searching && step < 0)) return;
  event.preventDefault();
  if (next < 0) searchBox.focus();
  else links[next].focus();
}

/** Escape: results → search box; search box → empty; a table → the list that it was in. */
function escaped() {
  settled();
  if (document.activeElement === searchBox) {
    if (!searchBox.value) return;
    searchBox.value = "";
    typed();
  } else if (shownView === "tables") {
    searchBox.focus();
  } else if (shownView === "table" && cameFrom === "tables") {
    history.back();
  } else if (shownView === "table") {
    location.hash = address("tables").slice(1);
  }
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const writing = event.target instanceof Element && event.target.matches("input, select, textarea");
  if (event.key === "/" && !writing) {
    event.preventDefault();
    searchBox.focus();
    searchBox.select();
  } else if (event.key === "ArrowDown" && (!writing || event.target === searchBox)) {
    moved(event, 1);
  } else if (event.key === "ArrowUp" && (!writing || event.target === searchBox)) {
    moved(event, -1);
  } else if (event.key === "Escape" && (!writing || event.target === searchBox)) {
    escaped();
  }
}

/** Enter in the search box opens the first result. */
function submitted(event) {
  event.preventDefault();
  const first = resultLinks()[0];
  if (first && searchBox.value.trim()) first.click();
}

function listen() {
  history.scrollRestoration = "manual";
  addEventListener("hashchange", route);
  addEventListener("keydown", pressed);
  searchBox.addEventListener("input", typed);
  document.getElementById("search-form").addEventListener("submit", submitted);
  addEventListener("click", settled, { capture: true });
  content.addEventListener("click", (event) => {
    leaving = event.target instanceof Element ? event.target.closest("a")?.getAttribute("href") ?? null : null;
  });
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    content.focus();
  });
}

/** Says what keeps the page from working. */
function say(text) {
  content.replaceChildren(el("p", { class: "notice", role: "alert" }, text));
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    say("This browser is too old for this page: it needs one of 2023 or later.");
    return;
  }
  listen();
  const catalog = await readCatalog();
  app = { catalog, searcher: searcherOf(catalog) };
  find(app.searcher, "a re"); // so that the first search of the reader finds everything ready
  document.getElementById("foot").replaceChildren(
    el("p", {}, `Written by Metaglean. ${counted(catalog.tables.length, "table")}, nothing is loaded from a network.`));
  const asked = parsed(location.hash).parameters.get("q") ?? "";
  const typing = document.activeElement === searchBox && searchBox.value.trim();
  if (typing && typing !== asked) typed();
  else await route();
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  say("This page can't be read: the file may be damaged or cut off.");
  throw error;
});
