//! The manifest: the platform's own rules, and what an author does well to keep beyond them.

use super::spans::{placed, position};
use crate::{Finding, project::MANIFEST};
use aistack_domain::{
    FieldError,
    plugins::manifest::{self, LocalText, Manifest, min_host},
};

/// Uses of secrets: the class, and whether something has to follow.
const CLASSES: &[(&str, &[&str])] = &[
    ("http", &["bearer", "basic", "header", "query", "form", "client-cert"]),
    ("dial", &["write", "client-cert"]),
    ("mac", &[]),
    ("sign", &[]),
    ("aead", &[]),
    ("decrypt", &[]),
    ("reveal", &[]),
];

/// The platform's findings with lines and columns.
pub(crate) fn manifest_findings(text: &str, found: Vec<FieldError>) -> Vec<Finding> {
    let syntax = || toml::from_str::<toml::Table>(text).err().and_then(|e| e.span());
    let one = |e: FieldError| {
        let is_syntax = e.code == "syntax";
        let mut finding = placed(e.into(), MANIFEST, text);
        if is_syntax && let Some(span) = syntax() {
            let (line, column) = position(text, span.start);
            (finding.line, finding.column) = (Some(line), Some(column));
        }
        finding
    };
    found.into_iter().map(one).collect()
}

/// The manifest, if the platform takes it, and everything that is wrong or unkind about it.
pub(super) fn lint(text: &str) -> (Option<Manifest>, Vec<Finding>) {
    match manifest::lint(text) {
        Ok(m) => {
            let found = advise(text, &m);
            (Some(m), found)
        }
        Err(found) => {
            // What is left without the members that make no sense may be wrong too: all mistakes at once.
            let rest = without(text, &found).map(|m| advise(text, &m));
            let mut all = manifest_findings(text, found);
            let known: Vec<String> = all.iter().map(|f| f.pointer.clone()).collect();
            let around = |f: &Finding| known.iter().any(|k| k.starts_with(&f.pointer));
            all.extend(rest.into_iter().flatten().filter(|f| !around(f)));
            (None, all)
        }
    }
}

/// The manifest without members that don't belong there, if that makes one.
fn without(text: &str, found: &[FieldError]) -> Option<Manifest> {
    let mut table: toml::Value = toml::from_str(text).ok()?;
    for f in found.iter().filter(|f| f.code == "unknown_member") {
        let (parent, name) = f.pointer.rsplit_once('/')?;
        let mut at = &mut table;
        for step in parent.split('/').skip(1) {
            at = match step.parse::<usize>() {
                Ok(n) => at.get_mut(n)?,
                Err(_) => at.get_mut(step)?,
            };
        }
        at.as_table_mut()?.remove(name);
    }
    table.try_into().ok()
}

fn advise(text: &str, m: &Manifest) -> Vec<Finding> {
    let mut advice = Advice {
        text,
        found: Vec::new(),
    };
    advice.identity(m);
    advice.texts(m);
    advice.secrets(m);
    advice.found
}

struct Advice<'a> {
    text: &'a str,
    found: Vec<Finding>,
}

impl Advice<'_> {
    fn say(&mut self, finding: Finding) {
        self.found.push(placed(finding, MANIFEST, self.text));
    }

    fn identity(&mut self, m: &Manifest) {
        if m.id.split('.').next() != Some(m.publisher.as_str()) {
            self.say(Finding::error(
                "publisher_mismatch",
                "/publisher",
                format!("publisher {:?} is not the first part of the id {:?}", m.publisher, m.id),
                "the id is <publisher>.<name>; a signature of another publisher is refused",
            ));
        }
        if !m.world.ends_with("@1.0") {
            self.say(Finding::error(
                "format",
                "/world",
                format!("world {:?} does not end with @1.0", m.world),
                "this platform's contract is 1.0",
            ));
        }
        let ours = min_host(env!("CARGO_PKG_VERSION"));
        if let (Some(wanted), Some(ours)) = (m.min_host.as_deref().and_then(min_host), ours)
            && wanted > ours
        {
            self.say(Finding::error(
                "min_host",
                "/min-host",
                format!("it wants host {}.{}; this is {}.{}", wanted.0, wanted.1, ours.0, ours.1),
                "lower min-host, or take a newer aistack",
            ));
        }
    }

    fn both_languages(&mut self, pointer: String, text: Option<&LocalText>) {
        let (code, message) = match text {
            None => ("required", format!("{pointer} is missing")),
            Some(t) if t.zh_cn.is_none() => ("language_missing", format!("{pointer} has no zh-CN")),
            Some(_) => return,
        };
        self.say(Finding::warning(
            code,
            pointer,
            message,
            "write it as { en = \"…\", zh-CN = \"…\" }",
        ));
    }

    fn texts(&mut self, m: &Manifest) {
        self.both_languages("/name".to_owned(), Some(&m.name));
        self.both_languages("/description".to_owned(), m.description.as_ref());
        for (i, e) in m.egress.iter().enumerate() {
            self.both_languages(format!("/egress/{i}/reason"), e.reason.as_ref());
        }
        for (i, s) in m.secret.iter().enumerate() {
            self.both_languages(format!("/secret/{i}/label"), s.label.as_ref());
        }
        for (i, r) in m.report.iter().enumerate() {
            self.both_languages(format!("/report/{i}/title"), Some(&r.title));
        }
    }

    fn secrets(&mut self, m: &Manifest) {
        for (i, s) in m.secret.iter().enumerate() {
            let name = &s.name;
            if s.uses.is_empty() {
                self.say(Finding::error(
                    "required",
                    format!("/secret/{i}/use"),
                    format!("secret {name:?} has no use, so nothing can be done with it"),
                    "e.g. use = [\"http:bearer\"] or use = [\"mac:HS256\"]",
                ));
            }
            for (n, u) in s.uses.iter().enumerate() {
                if let Err(hint) = known_use(u) {
                    let message = format!("secret {name:?}: the host knows no use {u:?}");
                    self.say(Finding::error(
                        "not_allowed",
                        format!("/secret/{i}/use/{n}"),
                        message,
                        &hint,
                    ));
                }
            }
            let http = s.uses.iter().any(|u| u.starts_with("http"));
            if http && s.hosts.is_empty() {
                self.say(Finding::error(
                    "required",
                    format!("/secret/{i}/hosts"),
                    format!("secret {name:?} is injected into requests, but no host is named that it may go to"),
                    "hosts = [\"api.example.com\"] or hosts = [\"${config.api_base}\"]",
                ));
            }
            if !http && !s.hosts.is_empty() {
                self.say(Finding::warning(
                    "without_effect",
                    format!("/secret/{i}/hosts"),
                    format!("secret {name:?} is never injected into requests, so its hosts have no effect"),
                    "take hosts out, or add a use such as http:bearer",
                ));
            }
        }
    }
}

fn known_use(text: &str) -> Result<(), String> {
    let (class, detail) = match text.split_once(':') {
        Some((class, detail)) => (class, Some(detail)),
        None => (text, None),
    };
    match CLASSES.iter().find(|(c, _)| *c == class) {
        None => {
            let all: Vec<&str> = CLASSES.iter().map(|(c, _)| *c).collect();
            Err(format!("a use begins with {}", all.join(", ")))
        }
        Some((_, ways)) => match detail {
            Some(d) if !ways.is_empty() && !ways.contains(&d) => Err(format!("{class}: takes {}", ways.join(", "))),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: &str = "id = \"acme.pay\"\nversion = \"1.0.0\"\nworld = \"aistack:payment/payment-provider@1.0\"\npublisher = \"acme\"\nname = { en = \"A\", zh-CN = \"甲\" }\ndescription = { en = \"A\", zh-CN = \"甲\" }\n";

    #[test]
    fn a_kind_manifest_gives_no_reason_to_complain() {
        let (m, found) = lint(FINE);
        assert!(m.is_some() && found.is_empty(), "{found:?}");
    }

    #[test]
    fn all_mistakes_come_at_once_with_their_places() {
        let text = FINE.replace("acme.pay", "other.pay")
            + "[[secret]]\nname = \"a\"\nuse = [\"http:cookie\", \"sing:RS256\"]\n[[secret]]\nname = \"b\"\n";
        let (_, found) = lint(&text);
        let codes: Vec<(&str, Option<usize>)> = found.iter().map(|f| (f.code.as_str(), f.line)).collect();
        for wanted in [
            ("publisher_mismatch", Some(4)),
            ("not_allowed", Some(9)),
            ("required", Some(9)),
            ("required", Some(10)),
        ] {
            assert!(
                codes.contains(&wanted) || wanted.1 == Some(9) && codes.contains(&(wanted.0, Some(7))),
                "{wanted:?} in {codes:?}"
            );
        }
        assert!(found.iter().all(|f| f.hint.is_some()), "{found:?}");
        assert_eq!(found.iter().filter(|f| f.code == "not_allowed").count(), 2);
    }

    #[test]
    fn what_the_platform_refuses_does_not_hide_the_rest() {
        let text = FINE
            .replace("acme.pay", "other.pay")
            .replace("zh-CN = \"甲\" }\nd", "zh_CN = \"甲\" }\nd");
        let (m, found) = lint(&text);
        let codes: Vec<&str> = found.iter().map(|f| f.code.as_str()).collect();
        assert!(m.is_none());
        assert_eq!(
            codes,
            ["unknown_member", "publisher_mismatch"],
            "the language is missing because it is misspelt"
        );
    }

    #[test]
    fn broken_toml_has_a_line_and_a_column() {
        let (m, found) = lint("id = \"a.b\"\nversion = = 1\n");
        assert!(m.is_none());
        assert_eq!((found[0].line, found[0].column), (Some(2), Some(11)));
    }
}
