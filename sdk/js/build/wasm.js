// The little that has to be known of the binary format: cutting names out, appending the sections that the host reads,
// listing the imports.

function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function number(value) {
  const out = [];
  do {
    const more = value > 0x7f;
    out.push((value & 0x7f) | (more ? 0x80 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return Buffer.from(out);
}

const isComponent = (bytes) => bytes[6] === 1;

function* sections(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [size, start] = leb(bytes, at + 1);
    yield [id, bytes.subarray(start, start + size)];
    at = start + size;
  }
}

const section = (id, contents) => Buffer.concat([Buffer.from([id]), number(contents.length), contents]);

function nameOf(custom) {
  const [length, at] = leb(custom, 0);
  return custom.subarray(at, at + length).toString();
}

const waste = (name) => ["name", "component-name"].includes(name) || name.startsWith(".debug");

/** The same component without names and debugging sections, at every depth. */
export function strip(bytes) {
  const out = [bytes.subarray(0, 8)];
  for (const [id, contents] of sections(bytes)) {
    if (id === 0 && waste(nameOf(contents))) continue;
    // In a component 1 is a core module and 4 a component within it.
    out.push(section(id, isComponent(bytes) && (id === 1 || id === 4) ? strip(contents) : contents));
  }
  return Buffer.concat(out);
}

/** Appends a custom section. */
export function append(bytes, name, text) {
  const title = Buffer.from(name);
  return Buffer.concat([bytes, section(0, Buffer.concat([number(title.length), title, Buffer.from(text)]))]);
}

/** The names of the outermost imports. */
export function imports(bytes) {
  const found = [];
  for (const [id, contents] of sections(bytes)) {
    if (id !== 10) continue;
    let [count, at] = leb(contents, 0);
    while (count-- > 0) {
      const form = contents[at];
      const [length, start] = leb(contents, at + 1);
      at = start + length;
      found.push(contents.subarray(start, at).toString());
      // A third form of names carries the rest of its version behind it.
      if (form === 2) at += leb(contents, at)[0] + 1;
      at = afterType(contents, at);
    }
  }
  return found;
}

/** Behind the description of an import: a kind, and an index or a bound. */
function afterType(contents, at) {
  const kind = contents[at++];
  if (kind === 0x00) at++;
  if (kind === 0x03) return contents[at] === 0 ? leb(contents, at + 1)[1] : at + 1;
  return leb(contents, at)[1];
}
