//! The sections of a component: taking names out of every level of it, and putting custom sections at its end.

use crate::Error;
use aistack_domain::plugins::port::Refusal;

/// Section ids that hold a whole module or component within a component.
const NESTED: [u8; 2] = [1, 4];
/// What a component starts with after the magic number, in place of a module's version.
const COMPONENT: [u8; 4] = [0x0d, 0, 1, 0];
/// Deeper than any tool nests.
const DEEPEST: usize = 16;

/// The component without names, debug information and producers, at every level.
///
/// # Errors
/// When it is no WebAssembly.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    stripped(bytes, 0).ok_or_else(|| {
        let what = "its sections can't be read";
        Error::Refused(Refusal::NotAComponent(what.to_owned()))
    })
}

/// A section's id and contents.
type Section<'a> = (u8, &'a [u8]);

/// A module or component in its parts: the first eight bytes, and its sections.
fn read(bytes: &[u8], depth: usize) -> Option<(&[u8], Vec<Section<'_>>)> {
    let header = bytes.get(..8).filter(|h| h.starts_with(b"\0asm") && depth < DEEPEST)?;
    let mut sections = Vec::new();
    let mut at = 8;
    while at < bytes.len() {
        let (size, from) = read_leb(bytes, at + 1)?;
        sections.push((bytes[at], bytes.get(from..from.checked_add(size)?)?));
        at = from + size;
    }
    Some((header, sections))
}

fn stripped(bytes: &[u8], depth: usize) -> Option<Vec<u8>> {
    let (header, sections) = read(bytes, depth)?;
    let component = header[4..] == COMPONENT;
    let mut out = header.to_vec();
    for (id, contents) in sections {
        if id == 0 && is_for_people(contents)? {
            continue;
        }
        let inner = if component && NESTED.contains(&id) {
            Some(stripped(contents, depth + 1)?)
        } else {
            None
        };
        section(&mut out, id, inner.as_deref().unwrap_or(contents));
    }
    Some(out)
}

/// Whether a custom section is there for debuggers and the curious alone.
fn is_for_people(contents: &[u8]) -> Option<bool> {
    let (length, from) = read_leb(contents, 0)?;
    let name = contents.get(from..from.checked_add(length)?)?;
    Some(
        matches!(name, b"name" | b"component-name" | b"producers" | b"sourceMappingURL")
            || name.starts_with(b".debug_"),
    )
}

/// Whether two components differ at most in what their memories begin with. Tools that take a snapshot of a running
/// interpreter put its random seeds and addresses there. Some also number the modules of a component anew each time, so
/// neither their order nor how they are wired counts; all that is in them does, as do imports, exports and custom sections.
#[must_use]
pub fn same_but_memory(a: &[u8], b: &[u8]) -> bool {
    let parts = |bytes| {
        let mut parts = Vec::new();
        without_memory(bytes, 0, &mut parts)?;
        parts.sort_unstable();
        Some(parts)
    };
    parts(a).is_some_and(|a| parts(b).is_some_and(|b| a == b))
}

/// In core modules: what memories begin with, and how many pieces of it there are.
const DATA: [u8; 2] = [11, 12];
/// In components: which modules are instantiated with what, and names for what they export.
const WIRING: [u8; 2] = [2, 6];

fn without_memory(bytes: &[u8], depth: usize, parts: &mut Vec<Vec<u8>>) -> Option<()> {
    let (header, sections) = read(bytes, depth)?;
    let component = header[4..] == COMPONENT;
    let mut module = header.to_vec();
    for (id, contents) in sections {
        match (component, id) {
            (true, id) if NESTED.contains(&id) => without_memory(contents, depth + 1, parts)?,
            (true, id) if WIRING.contains(&id) => {}
            (true, id) => parts.push([&[id], contents].concat()),
            (false, id) if DATA.contains(&id) => {}
            (false, id) => section(&mut module, id, contents),
        }
    }
    if !component {
        parts.push(module);
    }
    Some(())
}

/// Puts a custom section at the end.
pub fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut contents = Vec::new();
    write_leb(&mut contents, name.len());
    contents.extend_from_slice(name.as_bytes());
    contents.extend_from_slice(data);
    section(component, 0, &contents);
}

fn section(out: &mut Vec<u8>, id: u8, contents: &[u8]) {
    out.push(id);
    write_leb(out, contents.len());
    out.extend_from_slice(contents);
}

fn read_leb(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

fn write_leb(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(names: &[(&str, usize)]) -> Vec<u8> {
        let mut m = b"\0asm\x01\0\0\0".to_vec();
        for (name, size) in names {
            append(&mut m, name, &vec![7; *size]);
        }
        m
    }

    #[test]
    fn names_go_at_every_level_and_nothing_else_does() {
        let mut c = [b"\0asm".as_slice(), &COMPONENT].concat();
        section(
            &mut c,
            1,
            &module(&[("name", 300), ("aistack:manifest", 200), (".debug_info", 9)]),
        );
        let mut inner = [b"\0asm".as_slice(), &COMPONENT].concat();
        section(&mut inner, 1, &module(&[("producers", 5), ("x", 1)]));
        section(&mut c, 4, &inner);
        append(&mut c, "component-name", b"n");
        append(&mut c, "aistack:config-schema", b"{}");

        let mut wanted = [b"\0asm".as_slice(), &COMPONENT].concat();
        section(&mut wanted, 1, &module(&[("aistack:manifest", 200)]));
        let mut inner = [b"\0asm".as_slice(), &COMPONENT].concat();
        section(&mut inner, 1, &module(&[("x", 1)]));
        section(&mut wanted, 4, &inner);
        append(&mut wanted, "aistack:config-schema", b"{}");
        assert_eq!(strip(&c).unwrap(), wanted);
        assert_eq!(strip(&wanted).unwrap(), wanted);
    }

    #[test]
    fn only_memory_and_the_order_of_modules_may_differ() {
        let core = |code: &[u8], data: &[u8]| {
            let mut m = module(&[]);
            section(&mut m, 10, code);
            section(&mut m, 11, data);
            m
        };
        let component = |modules: &[Vec<u8>], text: &[u8]| {
            let mut c = [b"\0asm".as_slice(), &COMPONENT].concat();
            modules.iter().for_each(|m| section(&mut c, 1, m));
            section(&mut c, 2, &[u8::try_from(modules[0].len()).unwrap()]);
            section(&mut c, 10, b"imports");
            append(&mut c, "aistack:manifest", text);
            c
        };
        let one = component(&[core(b"x", b"seed 1"), core(b"yy", b"")], b"m");
        let other = component(&[core(b"yy", b"0"), core(b"x", b"another seed")], b"m");
        assert!(one != other && same_but_memory(&one, &other));
        for changed in [
            component(&[core(b"z", b"seed 1"), core(b"yy", b"")], b"m"),
            component(&[core(b"x", b"seed 1"), core(b"yy", b"")], b"n"),
            component(&[core(b"x", b"seed 1")], b"m"),
            one[..one.len() - 1].to_vec(),
        ] {
            assert!(!same_but_memory(&one, &changed));
        }
    }

    #[test]
    fn cut_short_or_foreign_bytes_are_refused() {
        let whole = module(&[("x", 200)]);
        for bytes in [&b""[..], b"\0asm", b"MZ\0\0\0\0\0\0\0", &whole[..whole.len() - 1]] {
            assert!(strip(bytes).is_err());
        }
        // A module section is opened in components only: in modules, id 1 are types.
        let mut m = module(&[]);
        section(&mut m, 1, b"\0");
        assert_eq!(strip(&m).unwrap(), m);
    }
}
