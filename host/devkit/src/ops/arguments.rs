//! Reads the arguments of an operation, and says which one does not fit and what would.

use crate::Error;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// The members of an object that have not been taken yet.
#[derive(Debug)]
pub(super) struct Arguments {
    members: Map<String, Value>,
    at: String,
}

impl Arguments {
    pub(super) fn new(value: Value) -> Result<Self, Error> {
        Self::at(value, String::new())
    }

    fn at(value: Value, at: String) -> Result<Self, Error> {
        match value {
            Value::Object(mut members) => {
                // Null says that there is none.
                members.retain(|_, v| !v.is_null());
                Ok(Self { members, at })
            }
            Value::Null => Ok(Self {
                members: Map::new(),
                at,
            }),
            _ => Err(Error::Argument {
                pointer: at,
                message: "not an object".to_owned(),
                hint: "write { \"name\": value, … }".to_owned(),
            }),
        }
    }

    fn wrong(&self, name: &str, message: &str, hint: &str) -> Error {
        Error::Argument {
            pointer: format!("{}/{name}", self.at),
            message: message.to_owned(),
            hint: hint.to_owned(),
        }
    }

    /// A member, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(s)) => Ok(Some(s)),
            Some(_) => Err(self.wrong(name, "not a text", "a JSON string")),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Error> {
        let found = self.maybe_text(name)?;
        found.ok_or_else(|| self.wrong(name, "is missing", "a JSON string"))
    }

    pub(super) fn text_or(&mut self, name: &str, default: &str) -> Result<String, Error> {
        Ok(self.maybe_text(name)?.unwrap_or_else(|| default.to_owned()))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Error> {
        self.flag_or(name, false)
    }

    pub(super) fn flag_or(&mut self, name: &str, default: bool) -> Result<bool, Error> {
        match self.take(name) {
            None => Ok(default),
            Some(Value::Bool(b)) => Ok(b),
            Some(_) => Err(self.wrong(name, "not true or false", "true or false")),
        }
    }

    pub(super) fn maybe_number(&mut self, name: &str) -> Result<Option<u64>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(v) => match v.as_u64() {
                Some(n) => Ok(Some(n)),
                None => Err(self.wrong(name, "not a whole number of 0 or more", "a JSON number")),
            },
        }
    }

    /// What serde reads.
    pub(super) fn maybe<T: serde::de::DeserializeOwned>(&mut self, name: &str, hint: &str) -> Result<Option<T>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(v) => serde_json::from_value(v)
                .map(Some)
                .map_err(|e| self.wrong(name, &e.to_string(), hint)),
        }
    }

    /// Bytes: `name` as text, or `name_base64`.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let encoded = format!("{name}_base64");
        if let Some(text) = self.maybe_text(&encoded)? {
            let bytes = STANDARD.decode(text);
            return bytes
                .map(Some)
                .map_err(|_| self.wrong(&encoded, "not base64", "base64 with padding"));
        }
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(s)) => Ok(Some(s.into_bytes())),
            // Plugins keep JSON in most opaque bytes; that can be written as it is.
            Some(v) => Ok(Some(v.to_string().into_bytes())),
        }
    }

    /// An object within; empty when absent.
    pub(super) fn object(&mut self, name: &str) -> Result<Self, Error> {
        let value = self.take(name).unwrap_or_default();
        Self::at(value, format!("{}/{name}", self.at))
    }

    /// An object within that has to be there.
    pub(super) fn required(&mut self, name: &str, hint: &str) -> Result<Self, Error> {
        if !self.members.contains_key(name) {
            return Err(self.wrong(name, "is missing", hint));
        }
        self.object(name)
    }

    /// Pairs: an object, or a list of `[name, value]`.
    pub(super) fn pairs(&mut self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Object(m)) => Ok(m.iter().map(|(k, v)| (k.clone(), text(v))).collect()),
            Some(v) => serde_json::from_value(v)
                .map_err(|_| self.wrong(name, "not pairs", "{ \"name\": \"value\" } or [[\"name\", \"value\"]]")),
        }
    }

    /// Nothing may be left: a misspelt member must not silently have no effect.
    pub(super) fn done(&self) -> Result<(), Error> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.wrong(
                name,
                "is no argument of this operation",
                "take it out, or look at its spelling",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let mut a = Arguments::new(json!({ "order": { "id": 3 }, "flg": true })).unwrap();
        assert!(!a.flag("flag").unwrap());
        let mut order = a.object("order").unwrap();
        let Err(Error::Argument { pointer, .. }) = order.text("id") else {
            panic!("refused")
        };
        assert_eq!(pointer, "/order/id");
        let Err(Error::Argument { pointer, .. }) = a.done() else {
            panic!("refused")
        };
        assert_eq!(pointer, "/flg");
        assert!(Arguments::new(json!([1])).is_err());
    }

    #[test]
    fn bytes_come_as_text_json_or_base64() {
        let mut a = Arguments::new(json!({ "a": "x", "b": { "n": 1 }, "c_base64": "/w==", "d_base64": "?" })).unwrap();
        assert_eq!(a.bytes("a").unwrap().unwrap(), b"x");
        assert_eq!(a.bytes("b").unwrap().unwrap(), br#"{"n":1}"#);
        assert_eq!(a.bytes("c").unwrap().unwrap(), [0xff]);
        assert!(a.bytes("d").is_err());
        assert_eq!(a.bytes("e").unwrap(), None);
    }
}
