// Another version of a built plugin, made by editing the manifest inside its component: no compiler is needed for that.

/** Sections of a component that hold a module or a component themselves. */
const NESTED_IN_COMPONENT = new Set([1, 4]);

function readLeb(bytes: Buffer, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0, next = at; ; shift += 7) {
    const byte = bytes[next];
    if (byte === undefined || shift > 28) throw new Error('the binary is cut short');
    next += 1;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next };
  }
}

function leb(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  do {
    const more = rest >= 0x80;
    out.push((rest % 0x80) | (more ? 0x80 : 0));
    rest = Math.floor(rest / 0x80);
  } while (rest > 0);
  return Buffer.from(out);
}

/** The binary with the custom section of a name replaced, however deep it lies; how often it was found. */
function replaceSection(binary: Buffer, name: string, edit: (data: Buffer) => Buffer): { bytes: Buffer; found: number } {
  // Bytes 6 and 7 tell a component (layer 1) from a core module (layer 0).
  const component = binary.readUInt16LE(6) === 1;
  const parts: Buffer[] = [binary.subarray(0, 8)];
  let found = 0;
  for (let at = 8; at < binary.length; ) {
    const id = binary[at] ?? 0;
    const { value: size, next } = readLeb(binary, at + 1);
    let payload = binary.subarray(next, next + size);
    if (id === 0) {
      const { value: length, next: start } = readLeb(payload, 0);
      if (payload.subarray(start, start + length).toString('utf8') === name) {
        payload = Buffer.concat([payload.subarray(0, start + length), edit(payload.subarray(start + length))]);
        found += 1;
      }
    } else if (component && NESTED_IN_COMPONENT.has(id)) {
      const inner = replaceSection(payload, name, edit);
      payload = inner.bytes;
      found += inner.found;
    }
    parts.push(Buffer.from([id]), leb(payload.length), payload);
    at = next + size;
  }
  return { bytes: Buffer.concat(parts), found };
}

/** The component with an edited manifest. */
export function withManifest(component: Buffer, edit: (manifest: string) => string): Buffer {
  const { bytes, found } = replaceSection(component, 'aistack:manifest', (data) => Buffer.from(edit(data.toString('utf8')), 'utf8'));
  if (found !== 1) throw new Error(`the component holds ${found} manifests`);
  return bytes;
}
