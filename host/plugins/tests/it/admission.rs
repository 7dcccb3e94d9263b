//! What is let in, and what is refused with which words.

use crate::harness::*;
use aistack_domain::plugins::port::*;
use aistack_plugins::{CompileMode, compile_child_main};
use serde_json::json;
use std::path::PathBuf;

#[tokio::test]
async fn an_upload_is_described_exactly() {
    let b = Bench::new();
    let bytes = component("identity");
    let i = b.host.admit(&bytes).await.unwrap();
    assert_eq!(i.kind, PluginKind::Identity);
    assert_eq!(i.contract, "1.0.0");
    assert!(i.manifest.contains("test.hostile"));
    assert_eq!(i.config_schema, r#"{"type":"object"}"#);
    assert_eq!(i.size, bytes.len() as u64);
    assert_eq!(
        i.imports,
        [
            "clock", "config", "crypto", "dial", "http", "kv", "log", "random", "reveal", "secrets"
        ]
    );
    assert_eq!(b.host.pool().components, 1);
}

/// Replaces a text by one of the same length, everywhere: names in a binary keep their length prefix.
pub(crate) fn patched(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut at = 0;
    while let Some(i) = bytes[at..].windows(from.len()).position(|w| w == from.as_bytes()) {
        bytes[at + i..at + i + from.len()].copy_from_slice(to.as_bytes());
        at += i + from.len();
    }
    assert!(at > 0, "{from} occurs");
    bytes
}

#[tokio::test]
async fn other_worlds_and_versions_are_refused_by_name() {
    let b = Bench::new();
    let foreign = patched(
        component("report"),
        "aistack:report/generator@1.0.0",
        "foreign:report/generator@1.0.0",
    );
    let words = b.host.admit(&foreign).await.unwrap_err();
    assert!(
        matches!(&words, Refusal::WrongWorld(w) if w.contains("foreign:report/generator")),
        "{words:?}"
    );
    for newer in ["@2.0.0", "@1.1.0", "@0.9.0"] {
        let Err(Refusal::WrongVersion { found, offered }) =
            b.host.admit(&patched(component("report"), "@1.0.0", newer)).await
        else {
            panic!("{newer} must be refused");
        };
        assert!(found.contains(newer), "{found}");
        assert_eq!(offered, "1.0.0");
    }
}

#[tokio::test]
async fn a_component_without_manifest_and_an_oversized_one_are_refused() {
    let b = Bench::new();
    assert!(matches!(
        b.host.admit(&component("bare")).await,
        Err(Refusal::Manifest(_))
    ));
    let small = Bench::with(|c| c.max_component = 1_000);
    let bytes = component("bare");
    assert_eq!(
        small.host.admit(&bytes).await,
        Err(Refusal::TooLarge {
            size: bytes.len() as u64,
            max: 1_000
        })
    );
}

#[tokio::test]
async fn what_is_not_granted_is_listed_and_not_run() {
    let b = Bench::new();
    let digest = b.admit("identity").await;
    let mut grants = all_grants();
    assert_eq!(b.host.check_grants(&digest, &grants), Ok(()));
    grants.interfaces.retain(|i| i != "http" && i != "reveal");
    let listed = Refusal::NotGranted(strings(&["http", "reveal"]));
    assert_eq!(b.host.check_grants(&digest, &grants), Err(listed));
    let mut inv = b.invocation(&digest);
    inv.powers = powers(grants);
    let fault = b.ask(inv, json!({ "do": "count" })).await.unwrap_err();
    assert_eq!(fault.code, "not_granted");
    assert!(fault.message.contains("http, reveal"), "{}", fault.message);
    assert_eq!(b.platform.last().outcome, CallOutcome::Refused);
    assert!(matches!(
        b.host.check_grants("00", &all_grants()),
        Err(Refusal::Missing(_))
    ));
}

#[tokio::test]
async fn forgotten_components_are_gone_and_can_come_back() {
    let b = Bench::with(|c| c.dir = tempfile::tempdir().unwrap().keep());
    let bytes = component("report");
    let digest = b.admit("report").await;
    b.host.forget(&digest).await;
    assert_eq!(
        b.host.describe(b.invocation(&digest)).await.unwrap_err().code,
        "not_loaded"
    );
    assert!(
        matches!(b.host.restore("abc", &bytes).await, Err(Refusal::Host(_))),
        "another digest"
    );
    b.host.restore(&digest, &bytes).await.unwrap();
    assert!(b.host.describe(b.invocation(&digest)).await.is_ok());
}

pub(crate) fn cache_file(dir: &std::path::Path, digest: &str) -> PathBuf {
    dir.join("compiled").join(format!("{digest}.cwasm"))
}

/// Not a test: what the compiling child of the next test runs.
#[test]
#[ignore = "run by the parent below, with its own environment"]
fn compile_child() {
    compile_child_main();
}

pub(crate) fn in_child() -> CompileMode {
    CompileMode::Child {
        program: std::env::current_exe().unwrap(),
        args: strings(&["admission::compile_child", "--exact", "--ignored", "--nocapture"]),
    }
}

#[tokio::test]
async fn a_child_process_compiles_within_limits() {
    let b = Bench::with(|c| {
        c.dir = tempfile::tempdir().unwrap().keep();
        c.compile = in_child();
    });
    let digest = b.admit("report").await;
    assert!(b.host.describe(b.invocation(&digest)).await.is_ok());

    let starved = Bench::with(|c| {
        c.dir = tempfile::tempdir().unwrap().keep();
        c.compile = in_child();
        c.compile_memory = 64 << 20;
    });
    let refusal = starved.host.admit(&component("report")).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Compile(_)), "{refusal:?}");
    assert_eq!(starved.host.pool().components, 0);

    let nobody = Bench::with(|c| {
        c.dir = tempfile::tempdir().unwrap().keep();
        c.compile = CompileMode::Child {
            program: "/nonexistent/compiler".into(),
            args: vec![],
        };
    });
    assert!(matches!(
        nobody.host.admit(&component("report")).await,
        Err(Refusal::Host(_))
    ));
}
