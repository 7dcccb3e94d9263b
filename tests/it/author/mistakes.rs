//! What is wrong is said: all of it, where, and how to fix it.

use super::Author;
use serde_json::{Value, json};
use std::fs;

fn codes(findings: &Value) -> Vec<(String, String)> {
    let text = |f: &Value, name: &str| f[name].as_str().unwrap_or_default().to_owned();
    let all = findings.as_array().unwrap().iter();
    all.map(|f| (text(f, "file"), text(f, "code"))).collect()
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let author = Author::new("report");
    let before = fs::read_to_string(author.file("src/lib.rs")).unwrap();
    let said = author.run(&["new", "acme.other", "--world", "payment", "--dir", "."]);
    assert_eq!((said.code, &said.problem()["code"]), (1, &json!("folder_not_empty")));
    assert!(said.problem()["hint"].as_str().unwrap().contains("--dir"));
    assert_eq!(fs::read_to_string(author.file("src/lib.rs")).unwrap(), before);
    let said = author.run(&["build", "--dir", "src"]);
    assert_eq!(said.problem()["code"], "not_a_project");
    let said = author.run(&["new", "nodot", "--world", "payment", "--dir", "x"]);
    assert_eq!(said.problem()["errors"][0]["pointer"], "/id");
}

#[test]
fn manifest_and_form_are_judged_together_with_lines_and_columns() {
    let author = Author::new("payment");
    author.edit("aistack-plugin.toml", "publisher = \"acme\"", "publisher = \"emca\"");
    author.edit("aistack-plugin.toml", "call-ms = 10000", "cal-ms = 10000");
    author.edit("config.schema.json", "\"order\": 2", "\"order\": 1");
    let said = author.run(&["check"]);
    assert_eq!(said.code, 1);
    let findings = &said.out["findings"];
    let found = codes(findings);
    for wanted in [
        ("aistack-plugin.toml", "unknown_member"),
        ("aistack-plugin.toml", "publisher_mismatch"),
        ("config.schema.json", "duplicate"),
    ] {
        assert!(
            found.contains(&(wanted.0.to_owned(), wanted.1.to_owned())),
            "{wanted:?} in {found:?}"
        );
    }
    for f in findings.as_array().unwrap() {
        assert!(
            f["line"].as_u64().is_some() && f["column"].as_u64().is_some() && f["hint"].is_string(),
            "{f}"
        );
    }
    let misspelt = findings
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["code"] == "unknown_member")
        .unwrap();
    let text = fs::read_to_string(author.file("aistack-plugin.toml")).unwrap();
    let line = usize::try_from(misspelt["line"].as_u64().unwrap()).unwrap();
    assert!(text.lines().nth(line - 1).unwrap().starts_with("cal-ms"), "line {line}");
    assert_eq!(misspelt["hint"], "did you mean `call-ms`?");
}

#[test]
fn powers_have_to_be_declared_and_used_and_releases_must_not_break_tenants() {
    let author = Author::new("payment");
    author.works(&["build"]);
    fs::copy(author.component(), author.file("before.wasm")).unwrap();

    author.edit(
        "aistack-plugin.toml",
        "[limits]",
        "[grants]\nkv = { bytes = \"1MiB\", keys = 10 }\n\n[limits]",
    );
    let said = author.run(&["check"]);
    assert_eq!(codes(&said.out["findings"]), [(String::new(), "not_used".to_owned())]);

    author.edit(
        "aistack-plugin.toml",
        "[grants]\nkv = { bytes = \"1MiB\", keys = 10 }\n\n",
        "",
    );
    author.edit("aistack-plugin.toml", "version = \"0.1.0\"", "version = \"0.1.1\"");
    author.edit("aistack-plugin.toml", "name = \"notify\"", "name = \"hook\"");
    let said = author.run(&["check", "--against", "before.wasm"]);
    assert_eq!(said.code, 1);
    let changes = said.out["changes"].as_array().unwrap();
    assert!(
        changes.iter().any(|c| c["what"] == "endpoint" && c["breaking"] == true),
        "{changes:?}"
    );
    // A new minor version below 1.0 says that it breaks.
    author.edit("aistack-plugin.toml", "version = \"0.1.1\"", "version = \"0.2.0\"");
    let checked = author.works(&["check", "--against", "before.wasm"]);
    assert_eq!(checked["findings"][0]["severity"], "warning");
}

#[test]
fn a_plugin_that_trusts_anybody_fails_the_suite() {
    let author = Author::new("payment");
    author.edit(
        "src/lib.rs",
        "        verify(host, &request)?;\n",
        "        let _ = verify(host, &request);\n",
    );
    author.edit("src/lib.rs", "amount_invalid", "Amount Invalid");
    let said = author.run(&["test", "--junit", "junit.xml"]);
    assert_eq!(said.code, 1);
    let failed: Vec<&str> = said.out["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["outcome"] == "failed")
        .map(|c| c["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        failed,
        [
            "payment.create.bad_amounts",
            "payment.inbound.forged",
            "payment.inbound.unsigned"
        ]
    );
    assert!(
        fs::read_to_string(author.file("junit.xml"))
            .unwrap()
            .contains("failures=\"3\"")
    );

    let one = author.run(&["test", "--case", "lifecycle."]);
    assert_eq!((one.code, &one.out["failed"]), (0, &json!(0)));
}

#[test]
fn what_does_not_compile_or_fit_is_said_with_a_hint() {
    let author = Author::new("report");
    let said = author.run(&["call", "generator.rnu"]);
    assert_eq!(said.problem()["code"], "no_such_operation");
    assert!(said.problem()["hint"].as_str().unwrap().contains("generator.run"));
    let said = author.run(&["call", "generator.run", "{\"format\": 3}"]);
    assert_eq!(said.problem()["errors"][0]["pointer"], "/format");
    let said = author.run(&["call", "generator.run", "{\"report\": \"nope\"}"]);
    assert_eq!((said.code, &said.out["fault"]["code"]), (1, &json!("no_such_report")));

    author.edit("src/lib.rs", "impl Generator for Summary", "impl Generatr for Summary");
    let said = author.run(&["build"]);
    assert_eq!(said.problem()["code"], "build_failed");
    assert!(said.err.contains("src/lib.rs"), "{}", said.err);

    fs::write(author.file("x.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let said = author.run(&["inspect", "x.wasm"]);
    assert_eq!(said.problem()["code"], "plugin_refused");
}
