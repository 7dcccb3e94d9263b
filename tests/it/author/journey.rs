//! The straight way, in each world.

use super::Author;
use aistack_tests::host::{Store, TestHost};
use serde_json::{Value, json};
use std::fs;

/// From nothing to a tested component: what every world's author does.
fn build_check_and_test(author: &Author, world: &str) -> Value {
    let built = author.works(&["build"]);
    assert_eq!((&built["kind"], &built["id"]), (&json!(world), &json!("acme.my-thing")));
    assert_eq!(built["size"], fs::metadata(author.component()).unwrap().len());
    assert!(
        built["size"].as_u64().unwrap() < 400_000,
        "no names, no debug information: {}",
        built["size"]
    );

    let checked = author.works(&["check"]);
    assert_eq!(checked["findings"], json!([]));

    let tested = author.works(&["test", "--junit", "out/junit.xml"]);
    assert_eq!(
        (&tested["failed"], &tested["skipped"]),
        (&json!(0), &json!(0)),
        "{tested:#}"
    );
    assert!(tested["passed"].as_u64().unwrap() >= 15);
    let junit = fs::read_to_string(author.file("out/junit.xml")).unwrap();
    assert!(junit.contains("failures=\"0\"") && junit.contains(&format!("classname=\"aistack.{world}\"")));

    let inspected = author.works(&["inspect", "dist/acme-my-thing.wasm"]);
    assert_eq!(
        (&inspected["digest"], &inspected["needs"]),
        (&built["digest"], &built["needs"])
    );
    built
}

fn called(author: &Author, operation: &str, arguments: &Value) -> Value {
    let answer = author.works(&["call", operation, &arguments.to_string(), "--fixtures"]);
    assert_eq!(
        (&answer["receipt"]["operation"], &answer["receipt"]["outcome"]),
        (&json!(operation), &json!("ok"))
    );
    answer["result"].clone()
}

#[test]
fn an_identity_plugin_signs_somebody_in() {
    let author = Author::new("identity");
    build_check_and_test(&author, "identity");
    let begun = called(
        &author,
        "login.begin",
        &json!({ "return_url": "https://acme.test/back" }),
    );
    let url = begun["step"]["redirect"].as_str().unwrap();
    let state = url.split_once("&state=").unwrap().1;
    let back =
        json!({ "state": begun["state"], "input": { "http": { "url": format!("/back?code=1&state={state}") } } });
    let done = called(&author, "login.resume", &back);
    assert_eq!(done["step"]["done"]["user"]["subject"], "42");
}

#[test]
fn a_report_plugin_writes_its_file() {
    let author = Author::new("report");
    build_check_and_test(&author, "report");
    let answer = author.works(&["call", "generator.run", "--files", "made"]);
    assert_eq!(answer["result"], json!({ "rows": 3, "files": ["summary.txt"] }));
    assert_eq!(
        fs::read_to_string(author.file("made/summary.txt")).unwrap(),
        "Usage\nrows: 3\n"
    );
}

#[tokio::test]
async fn a_payment_plugin_is_built_measured_signed_and_taken_by_a_host() {
    let author = Author::new("payment");
    let built = build_check_and_test(&author, "payment");
    let payment = called(&author, "payments.create", &json!({ "order": { "id": "ord_7" } }));
    assert_eq!(payment["action"], json!({ "redirect": "https://pay.example.test/p-1" }));
    let found = called(
        &author,
        "payments.fetch",
        &json!({ "order_id": "ord_7", "provider_ref": payment["provider_ref"] }),
    );
    assert_eq!(found["paid"], json!({ "minor": 500, "currency": "USD" }));

    let figures = author.works(&["bench", "payments.create", "--fixtures", "--calls", "50"]);
    assert_eq!(
        (&figures["calls"], &figures["outcomes"]),
        (&json!(50), &json!({ "ok": 50 }))
    );
    let at = |name: &str| figures[name].as_u64().unwrap();
    assert!(at("p50_us") > 0 && at("p50_us") <= at("p99_us") && at("p99_us") <= at("max_us"));
    assert!(at("guest_p50_us") <= at("max_us") && at("peak_memory") >= 1 << 16 && at("host_calls") == 3);

    let made = author.works(&["sign", "--generate-key", "key.pem"]);
    let signed = author.works(&["sign", "dist/acme-my-thing.wasm", "--key", "key.pem"]);
    assert_eq!(signed["payload_digest"], built["digest"]);
    let again = author.works(&["sign", "dist/acme-my-thing.wasm", "--key", "key.pem"]);
    assert_eq!(
        (&again["payload_digest"], &again["key_id"]),
        (&built["digest"], &made["key_id"])
    );
    let inspected = author.works(&["inspect", "dist/acme-my-thing.wasm"]);
    assert_eq!(
        inspected["signatures"],
        json!([{ "publisher": "acme", "key_id": made["key_id"] }])
    );

    // A host that knows the key takes it, and says how far it trusts it.
    let host = TestHost::start(Store::Sqlite).await.unwrap();
    let operator = host.set_up().await.unwrap();
    let public = fs::read_to_string(author.file("key.pem.pub")).unwrap();
    let publisher = json!({ "publisher": "acme", "public_key": public, "tier": "verified" });
    let publisher = operator
        .post("/api/v1/publishers", publisher)
        .await
        .unwrap()
        .ok(201)
        .unwrap();
    assert_eq!(publisher["key_id"], made["key_id"]);
    let bytes = fs::read(author.component()).unwrap();
    let listed = operator.install_plugin(bytes).await.unwrap().ok(201).unwrap();
    assert_eq!(
        (&listed["plugin_id"], &listed["tier"]),
        (&json!("acme.my-thing"), &json!("verified"))
    );
}
