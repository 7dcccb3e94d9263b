//! Where members stand in a text: lines and columns for the pointers of findings, in TOML and in JSON.

use crate::Finding;
use std::collections::BTreeMap;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Line and column of an offset, both from 1, the column in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    (line, before[start..].chars().count() + 1)
}

/// The finding with its file, line and column.
pub(super) fn placed(mut finding: Finding, file: &str, text: &str) -> Finding {
    let offsets = if file.ends_with(".toml") {
        toml(text)
    } else {
        json(text)
    };
    let mut at = finding.pointer.as_str();
    let offset = loop {
        if let Some(offset) = offsets.get(at) {
            break Some(*offset);
        }
        match at.rfind('/') {
            Some(cut) if cut > 0 => at = &at[..cut],
            _ => break None,
        }
    };
    if let Some(offset) = offset {
        let (line, column) = position(text, offset);
        (finding.line, finding.column) = (Some(line), Some(column));
    }
    finding.in_file(file)
}

fn toml(text: &str) -> BTreeMap<String, usize> {
    fn table(table: &DeTable<'_>, at: &str, out: &mut BTreeMap<String, usize>) {
        for (key, member) in table {
            let pointer = format!("{at}/{}", key.get_ref());
            out.insert(pointer.clone(), key.span().start);
            value(member, &pointer, out);
        }
    }
    fn value(v: &Spanned<DeValue<'_>>, at: &str, out: &mut BTreeMap<String, usize>) {
        match v.get_ref() {
            DeValue::Table(t) => table(t, at, out),
            DeValue::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    let pointer = format!("{at}/{i}");
                    out.insert(pointer.clone(), item.span().start);
                    value(item, &pointer, out);
                }
            }
            _ => {}
        }
    }
    let mut out = BTreeMap::new();
    if let Ok(parsed) = DeTable::parse(text) {
        table(parsed.get_ref(), "", &mut out);
    }
    out
}

/// Offsets of all members and items of a JSON text; as far as it is JSON.
fn json(text: &str) -> BTreeMap<String, usize> {
    let mut reader = Json {
        bytes: text.as_bytes(),
        at: 0,
        out: BTreeMap::new(),
    };
    // Where it is not JSON the reader stops; what it saw before is right.
    let _ = reader.value("", 0);
    reader.out
}

struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
    out: BTreeMap<String, usize>,
}

impl Json<'_> {
    fn next(&mut self) -> Option<u8> {
        while self.bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then(|| self.at += 1)
    }

    fn value(&mut self, pointer: &str, depth: usize) -> Option<()> {
        if depth > 128 {
            return None;
        }
        let start = self.next()?;
        match start {
            b'{' | b'[' => {
                let end = start + 2;
                self.at += 1;
                let mut n = 0;
                while self.next()? != end {
                    if n > 0 {
                        self.expect(b',')?;
                        self.next()?;
                    }
                    let at = self.at;
                    let name = if start == b'{' {
                        let key = self.string()?;
                        self.expect(b':')?;
                        key.replace('~', "~0").replace('/', "~1")
                    } else {
                        n.to_string()
                    };
                    let member = format!("{pointer}/{name}");
                    self.out.insert(member.clone(), at);
                    self.value(&member, depth + 1)?;
                    n += 1;
                }
                self.at += 1;
            }
            b'"' => drop(self.string()?),
            _ => {
                let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b']' | b'}');
                let length = self.bytes[self.at..].iter().position(ends);
                self.at = length.map_or(self.bytes.len(), |n| self.at + n);
            }
        }
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.expect(b'"')?;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_slice(&self.bytes[start..self.at]).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_both_notations() {
        let text = "id = \"a\"\n[[secret]]\nname = \"ключ\"\n  use = [\"a\", \"b\"]\n";
        let at = |p: &str| position(text, toml(text)[p]);
        assert_eq!(at("/id"), (1, 1));
        assert_eq!(at("/secret/0/use"), (4, 3));
        assert_eq!(at("/secret/0/use/1"), (4, 15));

        let text = "{\"a\": {\"b/c\": [1, {\"d\\\"\": \"x,}\"}],\n  \"e\": null}, \"f\": true}";
        let at = |p: &str| position(text, json(text)[p]);
        assert_eq!(at("/a/b~1c/1/d\""), (1, 20));
        assert_eq!(at("/a/e"), (2, 3));
        assert_eq!(at("/f"), (2, 15));
    }

    #[test]
    fn what_is_not_there_is_placed_at_what_is_around_it() {
        let text = "{\n \"properties\": {}\n}";
        let found = placed(
            Finding::error("x", "/properties/a/title", "m", ""),
            "config.schema.json",
            text,
        );
        assert_eq!((found.line, found.column), (Some(2), Some(2)));
        assert_eq!(found.place(), "config.schema.json:2:2");
        assert_eq!(placed(Finding::error("x", "", "m", ""), "a.json", "{").line, None);
    }
}
