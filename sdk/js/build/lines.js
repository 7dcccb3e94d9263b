// Where each line of the bundle comes from, as a table in the bundle itself: a fault can then name the author's file
// and line.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function numbers(segment) {
  const out = [];
  let value = 0;
  let shift = 0;
  for (const letter of segment) {
    const digit = alphabet.indexOf(letter);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    out.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return out;
}

/** `[[source, line], …]` by the bundle's line, counted from 1; `rename` shortens the sources' names. */
export function table(map, rename) {
  const names = map.sources.map(rename);
  let source = 0;
  let line = 0;
  const lines = map.mappings.split(";").map((segments) => {
    let first;
    for (const segment of segments.split(",").filter((s) => s !== "")) {
      const [, ds = 0, dl = 0] = numbers(segment);
      source += ds;
      line += dl;
      first ??= [names[source], line + 1];
    }
    return first ?? null;
  });
  return [null, ...lines];
}
