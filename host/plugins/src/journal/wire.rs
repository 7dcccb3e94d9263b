//! Values of the contract as JSON, for journals: everything a component says or hears, exact enough to be said again.

use crate::call::Redactor;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use wasmtime::component::Resource;

/// Texts and byte strings of an argument that are longer stand in the journal by length and digest: they are compared,
/// not read.
const LONGEST: usize = 64 << 10;

/// Bytes that are a text.
const TEXT: &str = "$text";
/// Bytes that are not.
const BASE64: &str = "$base64";

/// What values are written with: covers secrets, counts bytes.
pub(crate) struct Pen<'a> {
    redact: &'a Redactor,
    /// Whether it is for comparing alone: then long values are written by their digest, and the characters beside a
    /// secret are covered too. In base64 they have bits of it.
    compared: bool,
    /// Bytes of texts and byte strings, about.
    pub(super) written: usize,
    /// Whether a secret was covered.
    pub(super) covered: bool,
}

impl<'a> Pen<'a> {
    /// For what a component says: compared when it is replayed.
    pub(super) fn for_comparing(redact: &'a Redactor) -> Self {
        Self {
            compared: true,
            ..Self::for_telling(redact)
        }
    }

    /// For what a component is told: it has to be there in full.
    pub(super) fn for_telling(redact: &'a Redactor) -> Self {
        Self {
            redact,
            compared: false,
            written: 0,
            covered: false,
        }
    }

    /// The bytes as they may be written down.
    fn clean(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if !self.redact.occurs_in(bytes) {
            return None;
        }
        self.covered = true;
        let mut clean = bytes.to_vec();
        if self.compared {
            self.redact.cover_widely(&mut clean);
        } else {
            self.redact.cover(&mut clean);
        }
        Some(clean)
    }

    fn long(&mut self, bytes: &[u8]) -> Option<Value> {
        (self.compared && bytes.len() > LONGEST).then(|| {
            self.written += 64;
            json!({ "$sha256": hex::encode(digest(&SHA256, bytes)), "$bytes": bytes.len() })
        })
    }

    fn text(&mut self, text: &str) -> Value {
        let clean = self.clean(text.as_bytes());
        let shown = clean.as_deref().unwrap_or(text.as_bytes());
        self.long(shown).unwrap_or_else(|| {
            self.written += shown.len();
            String::from_utf8_lossy(shown).into()
        })
    }

    fn bytes(&mut self, bytes: &[u8]) -> Value {
        let clean = self.clean(bytes);
        let shown = clean.as_deref().unwrap_or(bytes);
        if let Some(long) = self.long(shown) {
            return long;
        }
        self.written += shown.len();
        match std::str::from_utf8(shown) {
            Ok(text) => json!({ TEXT: text }),
            Err(_) => json!({ BASE64: STANDARD.encode(shown) }),
        }
    }
}

/// A journal's value that is not of the type it has to be.
#[derive(Debug, thiserror::Error)]
#[error("the journal has something else than {0} there")]
pub(crate) struct Unreadable(pub(super) &'static str);

/// A value of the contract that can be written down and read back.
pub(crate) trait Wire: Sized {
    /// Writes it.
    fn put(&self, pen: &mut Pen<'_>) -> Value;
    /// Reads it.
    fn take(value: Value) -> Result<Self, Unreadable>;
    /// Hands each text to `each` that a person typed in confidence: a stand-in goes into the journal for it.
    fn confide(&mut self, each: &mut dyn FnMut(&mut String)) {
        let _ = each;
    }
    /// Writes several.
    fn put_all(all: &[Self], pen: &mut Pen<'_>) -> Value {
        pen.written += 2 * all.len();
        all.iter().map(|v| v.put(pen)).collect()
    }
    /// Reads several.
    fn take_all(value: Value) -> Result<Vec<Self>, Unreadable> {
        match value {
            Value::Array(all) => all.into_iter().map(Self::take).collect(),
            _ => Err(Unreadable("a list")),
        }
    }
}

/// The members of a record.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn of(value: Value) -> Result<Self, Unreadable> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(Unreadable("a record")),
        }
    }
    pub(super) fn next<T: Wire>(&mut self, name: &'static str) -> Result<T, Unreadable> {
        T::take(self.0.remove(name).unwrap_or_default())
    }
}

/// An alternative: its name, and what comes with it.
pub(super) fn alternative(value: Value) -> Result<(String, Value), Unreadable> {
    match value {
        Value::String(name) => Ok((name, Value::Null)),
        Value::Object(members) if members.len() == 1 => members.into_iter().next().ok_or(Unreadable("an alternative")),
        _ => Err(Unreadable("an alternative")),
    }
}

impl Wire for u8 {
    fn put(&self, _: &mut Pen<'_>) -> Value {
        (*self).into()
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        value
            .as_u64()
            .and_then(|n| n.try_into().ok())
            .ok_or(Unreadable("a byte"))
    }
    fn put_all(all: &[Self], pen: &mut Pen<'_>) -> Value {
        pen.bytes(all)
    }
    fn take_all(value: Value) -> Result<Vec<Self>, Unreadable> {
        let wrong = || Unreadable("bytes");
        match alternative(value)? {
            (name, Value::String(text)) if name == TEXT => Ok(text.into_bytes()),
            (name, Value::String(text)) if name == BASE64 => STANDARD.decode(text).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

macro_rules! numbers {
    ($($type:ty: $as:ident),*) => {$(
        impl Wire for $type {
            fn put(&self, pen: &mut Pen<'_>) -> Value {
                pen.written += 8;
                (*self).into()
            }
            fn take(value: Value) -> Result<Self, Unreadable> {
                value.$as().and_then(|n| n.try_into().ok()).ok_or(Unreadable("a number"))
            }
        }
    )*};
}
numbers!(u16: as_u64, u32: as_u64, u64: as_u64, i64: as_i64);

impl Wire for bool {
    fn put(&self, _: &mut Pen<'_>) -> Value {
        (*self).into()
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        value.as_bool().ok_or(Unreadable("true or false"))
    }
}

impl Wire for () {
    fn put(&self, _: &mut Pen<'_>) -> Value {
        Value::Null
    }
    fn take(_: Value) -> Result<Self, Unreadable> {
        Ok(())
    }
}

impl Wire for String {
    fn put(&self, pen: &mut Pen<'_>) -> Value {
        pen.text(self)
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(Unreadable("a text")),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, pen: &mut Pen<'_>) -> Value {
        T::put_all(self, pen)
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        T::take_all(value)
    }
}

// Nothing in the contract is optional twice, so null can stand for "none".
impl<T: Wire> Wire for Option<T> {
    fn put(&self, pen: &mut Pen<'_>) -> Value {
        self.as_ref().map_or(Value::Null, |v| v.put(pen))
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        match value {
            Value::Null => Ok(None),
            value => T::take(value).map(Some),
        }
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn put(&self, pen: &mut Pen<'_>) -> Value {
        match self {
            Ok(v) => json!({ "ok": v.put(pen) }),
            Err(e) => json!({ "err": e.put(pen) }),
        }
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        let (name, value) = alternative(value)?;
        match name.as_str() {
            "ok" => T::take(value).map(Ok),
            "err" => E::take(value).map(Err),
            _ => Err(Unreadable("a result")),
        }
    }
}

/// A handle is its number. In a replay there is nothing behind it: everything asked of it is answered from the journal.
impl<T: 'static> Wire for Resource<T> {
    fn put(&self, _: &mut Pen<'_>) -> Value {
        self.rep().into()
    }
    fn take(value: Value) -> Result<Self, Unreadable> {
        u32::take(value).map(Self::new_own)
    }
}

macro_rules! tuples {
    ($(($($t:ident),+))*) => {$(
        impl<$($t: Wire),+> Wire for ($($t,)+) {
            #[expect(non_snake_case, reason = "the letters of the types name the places")]
            fn put(&self, pen: &mut Pen<'_>) -> Value {
                let ($($t,)+) = self;
                Value::Array(vec![$($t.put(pen)),+])
            }
            #[expect(non_snake_case, reason = "the letters of the types name the places")]
            fn confide(&mut self, each: &mut dyn FnMut(&mut String)) {
                let ($($t,)+) = self;
                $($t.confide(each);)+
            }
            fn take(value: Value) -> Result<Self, Unreadable> {
                let Value::Array(all) = value else { return Err(Unreadable("a tuple")) };
                let mut all = all.into_iter();
                let mut next = || all.next().ok_or(Unreadable("a tuple"));
                Ok(($($t::take(next()?)?,)+))
            }
        }
    )*};
}
tuples!((A)(A, B)(A, B, C)(A, B, C, D));

#[cfg(test)]
mod tests {
    use super::*;

    fn back<T: Wire + std::fmt::Debug + PartialEq>(value: &T) {
        let redact = Redactor::default();
        let written = value.put(&mut Pen::for_telling(&redact));
        assert_eq!(T::take(written).unwrap(), *value);
    }

    #[test]
    fn values_come_back_as_they_were() {
        back(&vec![0u8, 255, 128]);
        back(&"文".as_bytes().to_vec());
        back(&Vec::<u8>::new());
        back(&(u64::MAX, i64::MIN, true));
        back(&Some((String::new(), vec![(1u32, None::<bool>)])));
        back(&Ok::<(), String>(()));
        back(&Err::<(), String>("no".to_owned()));
        assert!(String::take(json!(3)).is_err() && u8::take(json!(256)).is_err());
        assert!(Vec::<u8>::take(json!({ "$base64": "?" })).is_err());
    }

    #[test]
    fn long_arguments_are_digests_and_what_is_told_is_whole() {
        let redact = Redactor::default();
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(long.put(&mut Pen::for_comparing(&redact))["$bytes"], LONGEST + 1);
        let told = long.put(&mut Pen::for_telling(&redact));
        assert_eq!(Vec::<u8>::take(told).unwrap(), long);
    }

    #[test]
    fn secrets_are_covered_and_that_is_noted() {
        let mut redact = Redactor::default();
        redact.learn("key", b"a-long-secret");
        let mut pen = Pen::for_telling(&redact);
        assert_eq!("see a-long-secret".to_owned().put(&mut pen), "see *************");
        assert!(pen.covered);
        // Beside the middle of a base64 text stand characters with bits of the secret.
        let mut pen = Pen::for_comparing(&redact);
        let basic = STANDARD.encode("user:a-long-secret");
        let other = STANDARD.encode("user:another-secret");
        let Value::String(shown) = basic.put(&mut pen) else {
            panic!("a text")
        };
        assert!(
            basic.starts_with("dXNlcjph") && shown.starts_with("dXNlcj") && !shown.contains("ph"),
            "{shown}"
        );
        assert_eq!(other.put(&mut pen), other);
    }
}
