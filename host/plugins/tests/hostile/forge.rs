//! Components that no toolchain makes: a good one with more sections behind it.

use wasmparser::{Parser, Payload};

/// A number as WebAssembly writes it.
pub(super) fn leb(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(n & 0x7f).unwrap();
        n >>= 7;
        if n == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}

/// A section with its id and length.
pub(super) fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id], leb(body.len()).as_slice(), body].concat()
}

/// A custom section.
pub(super) fn custom(name: &str, data: &[u8]) -> Vec<u8> {
    section(0, &[&leb(name.len()), name.as_bytes(), data].concat())
}

/// A list with its length in front.
fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [leb(items.len()), items.concat()].concat()
}

/// A core module with one memory or table (`kind`, `what`), and a start function when there is code for it.
pub(super) fn module(kind: u8, what: &[Vec<u8>], start: Option<&[u8]>) -> Vec<u8> {
    let mut m = b"\0asm\x01\0\0\0".to_vec();
    if start.is_some() {
        m.extend(section(1, &list(&[vec![0x60, 0, 0]])));
        m.extend(section(3, &list(&[vec![0]])));
    }
    m.extend(section(kind, &list(what)));
    if let Some(code) = start {
        m.extend(section(8, &[0]));
        m.extend(functions(&[code.to_vec()]));
    }
    m
}

/// Ids of the sections that hold memories and tables.
pub(super) const MEMORY: u8 = 5;
pub(super) const TABLE: u8 = 4;

/// A memory of at least so many pages.
pub(super) fn memory(pages: usize) -> Vec<u8> {
    [vec![0], leb(pages)].concat()
}

/// A table of at least so many functions.
pub(super) fn table(elements: usize) -> Vec<u8> {
    [vec![0x70, 0], leb(elements)].concat()
}

/// Grows by `step` until it can't, then goes on to what follows. `grow` is the instruction, `unit` what comes before it.
pub(super) fn grow(before: &[u8], grow: &[u8], after: &[u8]) -> Vec<u8> {
    // loop; before; grow; i32.const -1; i32.ne; br_if 0; end
    [&[0x03, 0x40], before, grow, &[0x41, 0x7f, 0x47, 0x0d, 0, 0x0b], after].concat()
}

/// A code section.
pub(super) fn functions(bodies: &[Vec<u8>]) -> Vec<u8> {
    let bodies: Vec<Vec<u8>> = bodies
        .iter()
        .map(|code| {
            let body = [&[0], code.as_slice(), &[0x0b]].concat();
            [leb(body.len()), body].concat()
        })
        .collect();
    section(10, &list(&bodies))
}

/// A module of so many functions that do nothing, or of one with `body`.
pub(super) fn code(count: usize, body: &[u8]) -> Vec<u8> {
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &list(&[vec![0x60, 0, 0]])),
        section(3, &list(&vec![vec![0]; count])),
        functions(&vec![body.to_vec(); count]),
    ]
    .concat()
}

/// The component with another core module, instantiated so many times when it is.
pub(super) fn with_module(component: &[u8], module: &[u8], instances: usize) -> Vec<u8> {
    let (mut depth, mut modules) = (0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.unwrap() {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ModuleSection { .. } if depth == 1 => modules += 1,
            _ => {}
        }
    }
    let instance = [vec![0], leb(modules), leb(0)].concat();
    let mut forged = [component.to_vec(), section(1, module)].concat();
    if instances > 0 {
        forged.extend(section(2, &list(&vec![instance; instances])));
    }
    forged
}

/// The component with an empty one in it, in it, in it.
pub(super) fn nested(component: &[u8], depth: usize) -> Vec<u8> {
    let empty = b"\0asm\x0d\0\x01\0".to_vec();
    let inner = (1..depth).fold(empty.clone(), |inner, _| [empty.clone(), section(4, &inner)].concat());
    [component.to_vec(), section(4, &inner)].concat()
}
