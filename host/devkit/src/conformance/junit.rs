//! Results as JUnit XML, the form that CI systems read.

use super::{Outcome, Results};
use std::fmt::Write;

/// The results as a document.
#[must_use]
pub fn junit(results: &Results) -> String {
    let seconds = |us: u64| format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    let total = results.cases.iter().map(|c| c.took_us).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites><testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{}\">",
        escaped(&results.plugin),
        results.cases.len(),
        results.failed,
        results.skipped,
        seconds(total)
    );
    for case in &results.cases {
        let (id, time) = (escaped(&case.id), seconds(case.took_us));
        let _ = write!(
            out,
            "<testcase classname=\"aistack.{}\" name=\"{id}\" time=\"{time}\"",
            escaped(&results.world)
        );
        let _ = match &case.outcome {
            Outcome::Passed => writeln!(out, "/>"),
            Outcome::Failed(why) => {
                let (title, why) = (escaped(&case.title), escaped(why));
                writeln!(out, "><failure message=\"{title}\">{why}</failure></testcase>")
            }
            Outcome::Skipped(why) => writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(why)),
        };
    }
    out.push_str("</testsuite></testsuites>\n");
    out
}

/// Text for elements and attributes; what XML can't hold at all becomes a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Case;
    use super::*;

    #[test]
    fn every_outcome_is_told_and_nothing_breaks_out_of_its_place() {
        let case = |id: &str, outcome| Case {
            id: id.into(),
            title: "a \"b\"".into(),
            outcome,
            took_us: 1_500,
        };
        let results = Results {
            plugin: "acme.pay 1.0.0".into(),
            world: "payment".into(),
            cases: vec![
                case("a", Outcome::Passed),
                case("b", Outcome::Failed("<x> & \u{1}".into())),
                case("c", Outcome::Skipped("no".into())),
            ],
            passed: 1,
            failed: 1,
            skipped: 1,
        };
        let xml = junit(&results);
        assert!(
            xml.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0.004500\""),
            "{xml}"
        );
        assert!(
            xml.contains("<failure message=\"a &quot;b&quot;\">&lt;x&gt; &amp; \u{fffd}</failure>"),
            "{xml}"
        );
        assert!(
            xml.contains("<testcase classname=\"aistack.payment\" name=\"a\" time=\"0.001500\"/>"),
            "{xml}"
        );
    }
}
