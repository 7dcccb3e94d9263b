//! `application/x-www-form-urlencoded`: query strings and form bodies (WHATWG URL standard).

/// Builds a query string or a form body, in the order the fields are added.
#[derive(Debug, Clone, Default)]
pub struct Form(String);

impl Form {
    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a field if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a field in place.
    pub fn push(&mut self, name: &str, value: impl AsRef<str>) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(form_urlencoded::byte_serialize(name.as_bytes()));
        self.0.push('=');
        self.0
            .extend(form_urlencoded::byte_serialize(value.as_ref().as_bytes()));
    }

    /// The encoded text.
    #[must_use]
    pub fn encode(self) -> String {
        self.0
    }

    /// `base` with these fields appended to its query.
    #[must_use]
    pub fn append_to(self, base: &str) -> String {
        let (base, fragment) = match base.split_once('#') {
            Some((base, fragment)) => (base, Some(fragment)),
            None => (base, None),
        };
        let joint = if !base.contains('?') {
            "?"
        } else if base.ends_with(['?', '&']) {
            ""
        } else {
            "&"
        };
        let mut url = if self.0.is_empty() {
            base.to_owned()
        } else {
            format!("{base}{joint}{}", self.0)
        };
        if let Some(fragment) = fragment {
            url.push('#');
            url.push_str(fragment);
        }
        url
    }
}

/// The fields of a query string or form body, decoded, in order, duplicates kept.
#[must_use]
pub fn parse(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// A text as one path segment or header token: everything but unreserved characters percent-encoded.
#[must_use]
pub fn encode_component(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_and_appends() {
        let form = Form::new()
            .with("a b", "1&2=3")
            .with_some("skip", None::<&str>)
            .with("ü", "é");
        assert_eq!(form.clone().encode(), "a+b=1%262%3D3&%C3%BC=%C3%A9");
        assert_eq!(Form::new().with("x", "1").append_to("https://h/p"), "https://h/p?x=1");
        assert_eq!(
            Form::new().with("x", "1").append_to("https://h/p?y=2#f"),
            "https://h/p?y=2&x=1#f"
        );
        assert_eq!(Form::new().append_to("https://h/p"), "https://h/p");
        assert_eq!(
            parse("a+b=1%262%3D3&a=2"),
            [("a b".into(), "1&2=3".into()), ("a".into(), "2".into())]
        );
        assert_eq!(encode_component("a/b:c~é"), "a%2Fb%3Ac~%C3%A9");
    }
}
