// Search: every word must be found somewhere in a table. Each searched field is one long text of all
// tables, so that a word is looked for by the browser's own `indexOf`, not table by table.

const END = "\u0002"; // between tables
const WEIGHTS = {
  name: { exact: 100, start: 70, inside: 50 },
  displayName: { exact: 90, start: 60, inside: 45 },
  columns: { exact: 30, start: 24, inside: 20 },
  description: { exact: 10, start: 10, inside: 10 },
  columnTexts: { exact: 5, start: 5, inside: 5 },
};
const TAG_WEIGHT = 18;
const OWNER_WEIGHT = 16;
const PATH_WEIGHT = 8;

/** The long text of one field, and where in it each table begins. */
function longText(tables, field) {
  const pieces = new Array(tables.length);
  const starts = new Uint32Array(tables.length + 1);
  let position = 1;
  tables.forEach((table, number) => {
    const text = field === "columns" && table.columnTitles
      ? table.columns + SEPARATOR + table.columnTitles
      : table[field];
    pieces[number] = text.toLowerCase();
    starts[number] = position;
    position += pieces[number].length + 1;
  });
  starts[tables.length] = position;
  return { text: END + pieces.join(END) + END, starts };
}

/** The words of a query, in lower case; control characters can't be in it. */
function wordsOf(query) {
  const plain = query.toLowerCase().replace(/[\u0000-\u001f]/g, " ");
  return [...new Set(plain.split(/\s+/).filter(Boolean))].slice(0, 12);
}

/** Everything that a search of this catalog needs. */
function searcherOf(catalog) {
  const fields = Object.keys(WEIGHTS).map((field) => ({
    weights: WEIGHTS[field],
    ...longText(catalog.tables, field),
  }));
  const lowered = (list) => list.map((item) => item.label.toLowerCase());
  return {
    catalog,
    fields,
    owners: lowered(catalog.owners),
    tags: lowered(catalog.tags),
    scopes: catalog.scopes.map((scope) => scope.fqn.toLowerCase()),
  };
}

/** Raises `scores` of the tables whose field holds the word. */
function scoreField(field, word, scores) {
  const { text, starts, weights } = field;
  let table = 0;
  let at = text.indexOf(word, 0);
  while (at >= 0) {
    while (starts[table + 1] <= at) table += 1;
    const before = text[at - 1];
    const after = text[at + word.length];
    const opens = before === END || before === SEPARATOR;
    const closes = after === END || after === SEPARATOR;
    const weight = opens && closes ? weights.exact : opens ? weights.start : weights.inside;
    if (weight > scores[table]) scores[table] = weight;
    // A better hit may follow in the same table, but of a letter or two there are too many.
    const enough = weight === weights.exact || weights.exact === weights.inside || word.length < 3;
    at = text.indexOf(word, enough ? starts[table + 1] : at + word.length);
  }
}

/** Raises `scores` of the tables with an owner, a tag or a path that holds the word. */
function scoreLabels(searcher, word, scores) {
  const holds = (list) => list.map((text) => text.includes(word));
  const [owners, tags, scopes] = [searcher.owners, searcher.tags, searcher.scopes].map(holds);
  if (![owners, tags, scopes].some((list) => list.includes(true))) return;
  for (const table of searcher.catalog.tables) {
    let weight = scopes[table.scope] ? PATH_WEIGHT : 0;
    if (table.owners.some((owner) => owners[owner])) weight = OWNER_WEIGHT;
    if (tagsOf(table).some((tag) => tags[tag])) weight = TAG_WEIGHT;
    if (weight > scores[table.number]) scores[table.number] = weight;
  }
}

/** The tags of a table and of its columns (`columnTags` is column, tag, column, tag, …). */
function tagsOf(table) {
  if (table.columnTags.length === 0) return table.tags;
  return [...table.tags, ...table.columnTags.filter((_, position) => position % 2 === 1)];
}

/** A score for each table; 0 where a word of the query is missing. */
function scoresOf(searcher, words) {
  const size = searcher.catalog.tables.length;
  const total = new Uint16Array(size).fill(words.length ? 0 : 1);
  words.forEach((word, position) => {
    const scores = new Uint8Array(size);
    for (const field of searcher.fields) scoreField(field, word, scores);
    scoreLabels(searcher, word, scores);
    for (let table = 0; table < size; table += 1) {
      const kept = position === 0 || total[table] > 0;
      total[table] = kept && scores[table] > 0 ? total[table] + scores[table] : 0;
    }
  });
  return total;
}

/** A test of one table against the filters: `within` a scope, `owner`, `tag`, `type`, `deleted`. */
function filterOf(catalog, filters) {
  const within = filters.within;
  const scopes = catalog.scopes.map(
    (scope) => !within || scope.fqn === within || scope.fqn.startsWith(`${within}.`),
  );
  const numberOf = (list, label) => list.findIndex((item) => item.label === label);
  const owner = filters.owner ? numberOf(catalog.owners, filters.owner) : null;
  const tag = filters.tag ? numberOf(catalog.tags, filters.tag) : null;
  const type = filters.type ? catalog.types.indexOf(filters.type) : null;
  return (table) =>
    scopes[table.scope] &&
    (filters.deleted || !table.deleted) &&
    (owner === null || table.owners.includes(owner)) &&
    (tag === null || tagsOf(table).includes(tag)) &&
    (type === null || table.type === type);
}

/** Tables by falling score, deleted ones last, else in their order. Counted, not compared: a letter
 * finds nearly all. */
function bestFirst(found, scores) {
  const ranks = new Map();
  for (const table of found) {
    const rank = scores[table.number] - (table.deleted ? 65536 : 0);
    if (!ranks.has(rank)) ranks.set(rank, []);
    ranks.get(rank).push(table);
  }
  return [...ranks.keys()].sort((a, b) => b - a).flatMap((rank) => ranks.get(rank));
}

/** The tables that a query and filters leave, best first (without words: by name). */
function find(searcher, query, filters = {}) {
  const words = wordsOf(query);
  const scores = scoresOf(searcher, words);
  const wanted = filterOf(searcher.catalog, filters);
  const found = searcher.catalog.tables.filter((table) => scores[table.number] && wanted(table));
  if (filters.sort === "changed") {
    found.sort((a, b) => b.updated - a.updated || a.number - b.number);
  } else if (words.length && filters.sort !== "name") {
    return { words, found: bestFirst(found, scores) };
  }
  return { words, found };
}
