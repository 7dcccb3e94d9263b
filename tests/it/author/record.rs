//! Finding out what went wrong: a call recorded and made again, a crash that names its line, what a call costs.

use super::Author;
use serde_json::{Value, json};
use std::fs;

fn journal(author: &Author, name: &str) -> Value {
    serde_json::from_slice(&fs::read(author.file(name)).unwrap()).unwrap()
}

#[test]
fn a_recorded_call_is_replayed_with_what_the_author_changed() {
    let author = Author::new("payment");
    let order = json!({ "order": { "id": "ord_7" } }).to_string();
    let called = author.works(&["call", "payments.create", &order, "--fixtures", "--record", "pay.json"]);
    let recorded = journal(&author, "pay.json");
    let imports: Vec<&Value> = recorded["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["import"])
        .collect();
    assert!(imports.contains(&&json!("http.send")), "{imports:?}");
    assert_eq!(
        (&recorded["tainted"], &recorded["outcome"]),
        (&json!(false), &json!("ok"))
    );

    // Neither fixtures nor network: the journal answers.
    let again = author.works(&["replay", "--journal", "pay.json"]);
    assert_eq!((&again["equal"], &again["difference"]), (&json!(true), &Value::Null));
    assert_eq!(
        again["output"]["ok"]["provider_ref"], called["result"]["provider_ref"],
        "{again}"
    );

    // A log line more changes nothing; another request does, and the author is told which.
    let at = "    let request = request\n            .with_header(\"content-type\"";
    let with = |line: &str| format!("{line}\n        {}", at.trim_start());
    let source = fs::read_to_string(author.file("src/lib.rs")).unwrap();
    assert!(source.contains(at.trim_start()), "{source}");
    author.edit("src/lib.rs", at.trim_start(), &with("println!(\"here\");"));
    let logged = author.works(&["replay", "--journal", "pay.json"]);
    assert_eq!(logged["equal"], true);
    assert!(logged["receipt"]["log"].to_string().contains("here"), "{logged}");
    author.edit("src/lib.rs", "\"content-type\"", "\"content-kind\"");
    let other = author.run(&["replay", "--journal", "pay.json"]);
    assert_eq!((other.code, &other.out["equal"]), (1, &json!(false)), "{}", other.err);
    let difference = &other.out["difference"];
    assert_eq!(difference["expected"]["import"], "http.send");
    assert!(
        difference["got"]["args"].to_string().contains("content-kind"),
        "{difference}"
    );
    let problem = other.problem();
    assert_eq!(
        (&problem["code"], &problem["seq"]),
        (&json!("replay_diverged"), &difference["seq"])
    );

    // What is no journal is refused by name.
    fs::write(author.file("no.json"), "{}").unwrap();
    let refused = author.run(&["replay", "--journal", "no.json"]);
    assert_eq!(
        (refused.code, &refused.problem()["code"]),
        (1, &json!("journal_invalid"))
    );
}

#[test]
fn a_crash_names_its_line_and_bench_counts_fuel() {
    let author = Author::new("payment");
    let figures = author.works(&["bench", "payments.create", "--fixtures", "--calls", "20"]);
    let fuel = figures["fuel"].as_u64().unwrap();
    assert!(fuel > 1_000, "{figures}");
    let again = author.works(&["bench", "payments.create", "--fixtures", "--calls", "20"]);
    let second = again["fuel"].as_u64().unwrap();
    assert!(
        fuel.abs_diff(second) * 20 < fuel,
        "the same work costs the same: {fuel} {second}"
    );

    let source = fs::read_to_string(author.file("src/lib.rs")).unwrap();
    let mark = "        let request = HttpRequest {\n            method: \"POST\"";
    let line = source[..source.find(mark).unwrap()].lines().count() + 1;
    author.edit(
        "src/lib.rs",
        mark,
        &format!("        assert!(order.amount.minor < 0, \"on purpose\");\n{mark}"),
    );
    let built = author.works(&["build", "--debug"]);
    let file = built["file"].as_str().unwrap();
    let crashed = author.run(&["call", "payments.create", "--fixtures", "--wasm", file]);
    assert_eq!(crashed.code, 1);
    let receipt = &crashed.out["receipt"];
    assert_eq!(receipt["outcome"], "trap");
    let first = &receipt["frames"][0];
    assert_eq!(
        (&first["file"], &first["line"]),
        (&json!("src/lib.rs"), &json!(line)),
        "{}",
        receipt["frames"]
    );
    for frame in receipt["frames"].as_array().unwrap() {
        assert!(!frame["file"].as_str().unwrap_or_default().starts_with('/'), "{frame}");
    }
    let log = receipt["log"].to_string();
    assert!(
        log.contains("on purpose") && log.contains(&format!("src/lib.rs:{line}")),
        "{log}"
    );

    // A released component carries no names, and says nothing wrong.
    author.works(&["build"]);
    let crashed = author.run(&["call", "payments.create", "--fixtures"]);
    assert_eq!(crashed.out["receipt"]["frames"], json!([]), "{}", crashed.out);
}
