//! Calls of host imports as a test asks for them: a list of `{"op", "s", "n"}`, where `s` are texts and `n` numbers that
//! the operation takes in order. Whatever is missing is empty or 0.

use serde_json::{Value, json};

/// Makes the calls, one after the other, with what they have got so far; what became of each. `one` has nothing to say of
/// a call that could not be made.
pub fn make<H: Default>(all: &Value, one: impl Fn(&str, &mut Arguments<'_>, &mut H) -> Option<Value>) -> Value {
    let mut held = H::default();
    let calls = all.as_array().into_iter().flatten();
    calls
        .map(|call| {
            let op = call["op"].as_str().unwrap_or_default();
            one(op, &mut Arguments::of(call), &mut held).unwrap_or_else(|| json!({ "skipped": true }))
        })
        .collect()
}

/// What becomes of a call that can't fail.
pub fn done(_: impl Sized) -> Option<Value> {
    Some(json!({ "done": true }))
}

/// The arguments of one call.
pub struct Arguments<'a> {
    texts: std::slice::Iter<'a, Value>,
    numbers: std::slice::Iter<'a, Value>,
}

impl<'a> Arguments<'a> {
    /// Of one entry of the list.
    fn of(call: &'a Value) -> Self {
        let list = |key: &str| call[key].as_array().map_or(&[][..], Vec::as_slice).iter();
        Self {
            texts: list("s"),
            numbers: list("n"),
        }
    }
    /// The next text.
    pub fn text(&mut self) -> &'a str {
        self.texts.next().and_then(Value::as_str).unwrap_or_default()
    }
    /// The next text, or none when it is empty.
    pub fn maybe(&mut self) -> Option<&'a str> {
        Some(self.text()).filter(|t| !t.is_empty())
    }
    /// The bytes of the next text; a leading `hex:` says that they are written so.
    pub fn bytes(&mut self) -> Vec<u8> {
        let text = self.text();
        let Some(hex) = text.strip_prefix("hex:") else {
            return text.as_bytes().to_vec();
        };
        (0..hex.len() / 2)
            .filter_map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok())
            .collect()
    }
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.numbers.next().and_then(Value::as_u64).unwrap_or_default()
    }
    /// One of what is held, if anything is.
    pub fn one_of<'b, T>(&mut self, held: &'b [T]) -> Option<&'b T> {
        let n = self.number() as usize;
        held.get(n % held.len().max(1))
    }
}

/// What became of a call, in the words of the test: a fault's code and message, `done`, or `skipped` when there was
/// nothing it could have been made on.
#[macro_export]
macro_rules! outcome {
    ($result:expr) => {
        match $result {
            Ok(_) => serde_json::json!({ "done": true }),
            Err(f) => serde_json::json!({ "code": f.code, "message": f.message }),
        }
    };
}

/// An HTTP request out of arguments: URL, method, body, then headers by pairs.
#[macro_export]
macro_rules! request_of {
    ($a:expr, $request:path) => {{
        let (url, method, body) = ($a.text().to_owned(), $a.text().to_owned(), $a.bytes());
        let mut headers = Vec::new();
        while let Some(name) = $a.maybe() {
            headers.push((name.to_owned(), $a.bytes()));
        }
        $request {
            method,
            url,
            headers,
            body,
        }
    }};
}
