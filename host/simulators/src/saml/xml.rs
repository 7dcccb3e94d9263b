//! XML that is written canonically in the first place (Exclusive C14N 1.0), so that what is signed is what is sent.

use std::fmt::Write as _;

/// Every prefix that is used.
const PREFIXES: [(&str, &str); 4] = [
    ("ds", "http://www.w3.org/2000/09/xmldsig#"),
    ("md", "urn:oasis:names:tc:SAML:2.0:metadata"),
    ("saml", "urn:oasis:names:tc:SAML:2.0:assertion"),
    ("samlp", "urn:oasis:names:tc:SAML:2.0:protocol"),
];

/// A child.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Element(Element),
    Text(String),
    /// Not part of the canonical form: readers that take comments for the end of a text are caught by it.
    Comment(&'static str),
}

/// An element with prefix, attributes without, and children.
#[derive(Debug, Clone)]
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    pub(super) children: Vec<Node>,
}

impl Element {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }
    pub(super) fn text(name: &'static str, text: &str) -> Self {
        Self::new(name).node(Node::Text(text.to_owned()))
    }
    pub(super) fn attr(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self.attributes.sort();
        self
    }
    /// The attribute, unless there is no value.
    pub(super) fn some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }
    pub(super) fn node(mut self, node: Node) -> Self {
        self.children.push(node);
        self
    }
    pub(super) fn child(self, element: Self) -> Self {
        self.node(Node::Element(element))
    }
    pub(super) fn id(&self) -> &str {
        self.attributes.iter().find(|(n, _)| *n == "ID").map_or("", |(_, v)| v)
    }

    /// The canonical form of this element alone.
    pub(super) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &mut Vec::new(), false);
        out
    }

    /// The document.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &mut Vec::new(), true);
        out
    }

    fn write(&self, out: &mut String, scope: &mut Vec<&'static str>, comments: bool) {
        let prefix = self.name.split(':').next().unwrap_or_default();
        let known = PREFIXES.iter().find(|(p, _)| *p == prefix);
        let _ = write!(out, "<{}", self.name);
        let outer = scope.len();
        // A namespace is declared where it is used first, and nowhere else.
        if let Some((prefix, uri)) = known.filter(|(p, _)| !scope.contains(p)) {
            let _ = write!(out, " xmlns:{prefix}=\"{uri}\"");
            scope.push(prefix);
        }
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", attribute(value));
        }
        out.push('>');
        for child in &self.children {
            match child {
                Node::Element(element) => element.write(out, scope, comments),
                Node::Text(text) => out.push_str(&content(text)),
                Node::Comment(text) if comments => {
                    let _ = write!(out, "<!--{text}-->");
                }
                Node::Comment(_) => {}
            }
        }
        let _ = write!(out, "</{}>", self.name);
        scope.truncate(outer);
    }
}

fn content(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\r', "&#xD;")
}

fn attribute(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\t', "&#x9;")
        .replace('\n', "&#xA;")
        .replace('\r', "&#xD;")
}
