//! What is let in, and what is refused with which words.

use crate::harness::*;
use aistack_domain::plugins::port::*;
use aistack_plugins::{CompileMode, PluginHost, compile_child_main};
use secrecy::SecretBox;
use serde_json::json;
use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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
fn patched(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
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
async fn what_is_no_component_is_refused_as_such() {
    let b = Bench::new();
    let whole = component("report");
    let core_module = b"\0asm\x01\0\0\0".to_vec();
    let mut inputs = vec![
        vec![],
        b"hello".to_vec(),
        b"\0asm".to_vec(),
        core_module,
        b"\x7fELF\x02\x01\x01\0".to_vec(),
    ];
    for cut in [8, 9, 100, whole.len() / 2, whole.len() - 1] {
        inputs.push(whole[..cut].to_vec());
    }
    for bytes in inputs {
        let refusal = b.host.admit(&bytes).await.unwrap_err();
        let eight = bytes.len() == 8 && bytes.starts_with(b"\0asm\x0d");
        match refusal {
            Refusal::NotAComponent(_) => {}
            // The empty component is one; it is of no world.
            Refusal::WrongWorld(_) if eight => {}
            other => panic!("{} bytes: {other:?}", bytes.len()),
        }
    }
    let words = b.host.admit(b"\0asm\x01\0\0\0").await.unwrap_err().to_string();
    assert!(words.contains("core module"), "{words}");
    assert_eq!(b.host.pool().components, 0);
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
async fn files_and_sockets_are_refused_with_the_list() {
    let b = Bench::new();
    let Err(Refusal::UnknownImports(list)) = b.host.admit(&component("files")).await else {
        panic!("must be refused");
    };
    for wanted in [
        "wasi:filesystem/types@",
        "wasi:filesystem/preopens@",
        "wasi:sockets/tcp@",
    ] {
        assert!(list.iter().any(|i| i.starts_with(wanted)), "{wanted} in {list:?}");
    }
    assert!(
        list.iter()
            .all(|i| !i.starts_with("wasi:io") && !i.starts_with("aistack:")),
        "{list:?}"
    );
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

fn cache_file(dir: &std::path::Path, digest: &str) -> PathBuf {
    dir.join("compiled").join(format!("{digest}.cwasm"))
}

#[tokio::test]
async fn tampered_native_code_is_compiled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let open = |key: u8| {
        let mut c = config(dir.path());
        c.cache_key = SecretBox::new(Box::new([key; 32]));
        PluginHost::new(c, clock(), Arc::new(CountingRng::default())).unwrap()
    };
    let bytes = component("start");
    let digest = open(1).admit(&bytes).await.unwrap().digest;
    let file = cache_file(dir.path(), &digest);
    let genuine = fs::read(&file).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(dir.path().join("compiled")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);

    // Untouched: used as it is.
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    open(1).admit(&bytes).await.unwrap();
    assert_eq!(
        fs::metadata(&file).unwrap().modified().unwrap(),
        before,
        "an intact file is not written again"
    );

    for (at, what) in [
        (0, "magic"),
        (20, "tag"),
        (100, "header"),
        (genuine.len() / 2, "code"),
        (genuine.len() - 1, "end"),
    ] {
        let mut bad = genuine.clone();
        bad[at] ^= 1;
        fs::write(&file, &bad).unwrap();
        open(1).admit(&bytes).await.unwrap();
        assert_ne!(fs::read(&file).unwrap(), bad, "{what}");
    }
    fs::write(&file, &genuine[..genuine.len() / 3]).unwrap();
    open(1).admit(&bytes).await.unwrap();
    assert!(fs::read(&file).unwrap().len() > genuine.len() / 2, "a truncated file");

    // Another component's genuine code under this name, and code of a host with another key.
    let other = open(1).admit(&component("report")).await.unwrap().digest;
    fs::copy(cache_file(dir.path(), &other), &file).unwrap();
    let swapped = fs::read(&file).unwrap();
    open(1).admit(&bytes).await.unwrap();
    assert_ne!(fs::read(&file).unwrap(), swapped);
    let by_key_one = fs::read(&file).unwrap();
    open(2).admit(&bytes).await.unwrap();
    assert_ne!(fs::read(&file).unwrap(), by_key_one);
}

/// Not a test: what the compiling child of the next test runs.
#[test]
#[ignore = "run by the parent below, with its own environment"]
fn compile_child() {
    compile_child_main();
}

fn in_child() -> CompileMode {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapping_versions_fails_no_call() {
    let b = Bench::new();
    let old = b.admit("identity").await;
    let stop = Arc::new(AtomicBool::new(false));
    // The domain swaps by handing out invocations with another digest; the old component is then forgotten while
    // calls of it still run.
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (host, inv) = (Arc::clone(&b.host), b.invocation(&old));
        callers.spawn(async move {
            host.identity()
                .begin(inv, start(json!({ "do": "sleep", "ms": 400 })))
                .await
        });
    }
    let good = {
        let (host, stop, report) = (Arc::clone(&b.host), Arc::clone(&stop), b.admit("report").await);
        let inv = b.invocation(&report);
        tokio::spawn(async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                host.describe(inv.clone()).await.expect("calls of others go on");
                n += 1;
            }
            n
        })
    };
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    for _ in 0..5 {
        b.host.forget(&old).await;
        b.admit("payment").await;
        b.host.forget(&b.admit("payment").await).await;
    }
    while let Some(done) = callers.join_next().await {
        assert!(done.unwrap().is_ok(), "calls in flight finish on what they started on");
    }
    stop.store(true, Ordering::Relaxed);
    assert!(good.await.unwrap() > 0);
    assert_eq!(
        b.host.describe(b.invocation(&old)).await.unwrap_err().code,
        "not_loaded"
    );
}
