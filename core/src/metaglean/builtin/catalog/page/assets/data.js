// What the catalog holds. The page carries it as blocks, deflated and in base64: one with the
// dictionaries (`head`), and for each few hundred tables an `index` (all that can be searched) and a
// `detail` (the rest, unpacked only when one of its tables is opened).

const SEPARATOR = "\u0001"; // between the columns of one table; data never holds it

/** The JSON value of a block. */
async function unpack(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/** The text of an element of the page, which is then removed: the browser need not keep it. */
function taken(element) {
  const text = element.textContent;
  element.remove();
  return text;
}

/** Reads the page's blocks; resolves to the catalog. */
async function readCatalog() {
  const blocks = (kind) => [...document.querySelectorAll(`script[data-block="${kind}"]`)];
  const head = await unpack(taken(blocks("head")[0]));
  const details = blocks("detail").map(taken);
  const tables = [];
  const indexes = blocks("index").map(taken);
  for (const [block, text] of indexes.entries()) {
    const index = await unpack(text);
    for (let row = 0; row < index.name.length; row += 1) {
      tables.push(tableOf(index, row, block, head));
    }
  }
  sortByTitle(tables);
  const byName = new Map(tables.map((table) => [table.fqn, table]));
  return { ...head, tables, byName, detail: detailReader(details) };
}

/** Puts tables in the order in which people look for a name, and numbers them. */
function sortByTitle(tables) {
  const { compare } = new Intl.Collator("en", { numeric: true });
  tables.sort((a, b) => compare(a.title, b.title) || (a.fqn < b.fqn ? -1 : 1));
  tables.forEach((table, number) => { table.number = number; });
}

/** One table as all views use it. */
function tableOf(index, row, block, head) {
  const scope = index.scope[row];
  return {
    number: 0,
    block,
    row,
    scope,
    name: index.name[row],
    fqn: `${head.scopes[scope].fqn}.${index.part[row] || index.name[row]}`,
    type: index.type[row],
    deleted: index.deleted[row] === 1,
    title: index.displayName[row] || index.name[row],
    displayName: index.displayName[row],
    description: index.description[row],
    columns: index.columns[row],
    columnTitles: index.columnTitles[row],
    columnTexts: index.columnTexts[row],
    count: index.columns[row] === "" ? 0 : index.columns[row].split(SEPARATOR).length,
    owners: index.owners[row],
    tags: index.tags[row],
    columnTags: index.columnTags[row],
    updated: index.updated[row],
  };
}

/** A function from a table to the promise of its details; the last blocks stay unpacked. */
function detailReader(details) {
  const kept = new Map();
  return async (table) => {
    if (!kept.has(table.block)) {
      if (kept.size >= 4) kept.delete(kept.keys().next().value);
      kept.set(table.block, unpack(details[table.block]));
    }
    return (await kept.get(table.block))[table.row];
  };
}

/** The parts of a text that was joined with SEPARATOR; none for an empty one. */
function parts(text) {
  return text === "" ? [] : text.split(SEPARATOR);
}
