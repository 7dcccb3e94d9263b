//! Just enough HTML to find a form and its fields in the login pages of real providers.

/// A `<form>` with what a browser would send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// The `action`, relative to the page, empty when absent.
    pub(crate) action: String,
    /// Its `<input>`s that have a name.
    pub(crate) fields: Vec<Field>,
}

/// An `<input>`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// `name`
    pub(crate) name: String,
    /// `type`, `text` when absent.
    pub(crate) kind: String,
    /// `value`, empty when absent.
    pub(crate) value: String,
}

/// The forms of a page that are sent by POST, in order.
pub(crate) fn forms(page: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut open: Option<Form> = None;
    for tag in tags(page) {
        match tag.name.as_str() {
            "form"
                if tag
                    .attribute("method")
                    .is_some_and(|method| method.eq_ignore_ascii_case("post")) =>
            {
                open = Some(Form {
                    action: tag.attribute("action").unwrap_or_default(),
                    fields: vec![],
                });
            }
            "/form" => forms.extend(open.take()),
            "input" => {
                if let (Some(form), Some(name)) = (&mut open, tag.attribute("name")) {
                    form.fields.push(Field {
                        name,
                        kind: tag
                            .attribute("type")
                            .unwrap_or_else(|| "text".into())
                            .to_ascii_lowercase(),
                        value: tag.attribute("value").unwrap_or_default(),
                    });
                }
            }
            _ => {}
        }
    }
    forms
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }
}

fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix("!--") {
            rest = after.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches('/').to_ascii_lowercase();
        let (attributes, after) = attributes(&rest[end..]);
        rest = after;
        // What is inside these is text, not markup.
        if matches!(name.as_str(), "script" | "style") {
            let close = format!("</{name}");
            // ASCII lower case keeps every byte's place.
            rest = rest.to_ascii_lowercase().find(&close).map_or("", |at| &rest[at..]);
        }
        tags.push(Tag { name, attributes });
    }
    tags
}

/// Attributes up to the tag's end, and what follows it.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        if rest.is_empty() {
            return (found, rest);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            if let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                (value, rest) = after[1..].split_once(quote).unwrap_or((&after[1..], ""));
            } else {
                let end = after
                    .find(|c: char| c.is_whitespace() || c == '>')
                    .unwrap_or(after.len());
                (value, rest) = after.split_at(end);
            }
        } else if end == 0 {
            // A stray sign that starts no attribute, such as a quote.
            let mut characters = rest.chars();
            characters.next();
            rest = characters.as_str();
            continue;
        }
        found.push((name, unescape(value)));
    }
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#x2F;", "/")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_fields_of_a_posted_form_and_nothing_else() {
        let page = r#"<!-- <form method="post" action="/comment"></form> -->
            <SCRIPT>"<form method=post action=/script></form>"</SCRIPT>
            <form action="/search"><input name="q"></form>
            <form id=login method="POST" action="/go?a=1&amp;b=2" novalidate>
              <input type=hidden name='prompt' value="login"/><input name=login autofocus>
              <input TYPE="password" name="password"><input type="submit">
            </form>"#;
        let field = |name: &str, kind: &str, value: &str| Field {
            name: name.into(),
            kind: kind.into(),
            value: value.into(),
        };
        assert_eq!(
            forms(page),
            [Form {
                action: "/go?a=1&b=2".into(),
                fields: vec![
                    field("prompt", "hidden", "login"),
                    field("login", "text", ""),
                    field("password", "password", ""),
                ],
            }]
        );
    }

    #[test]
    fn a_page_cut_short_is_no_trouble() {
        for end in 0..40 {
            let page = r#"<form method="post" action="/x"><input n"#;
            assert!(forms(&page[..end.min(page.len())]).is_empty());
        }
    }
}
