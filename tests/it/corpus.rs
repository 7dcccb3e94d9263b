//! Plugins of the past in the host of today: each folder of `tests/corpus` holds components that were compiled when a
//! version of the contract was released. They are installed, put through their world's suite, and called.

use aistack_tests::{
    host::{Store, TestHost, binary},
    repository,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Of all components of a version together.
const MOST_BYTES: u64 = 2 << 20;

/// `corpus.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    contract: String,
    commit: String,
    toolchain: String,
    component: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    name: String,
    world: String,
    source: String,
    sha256: String,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    operation: String,
    arguments: Value,
    /// `ok`, or the code of the fault.
    outcome: String,
}

impl Component {
    fn file(&self, version: &Path) -> PathBuf {
        version.join("components").join(format!("{}.wasm", self.name))
    }

    fn fixtures(&self, version: &Path) -> PathBuf {
        version.join("fixtures").join(format!("{}.toml", self.name))
    }
}

/// Every frozen version: its folder, and what it says of itself.
fn versions() -> Vec<(PathBuf, Corpus)> {
    let mut folders: Vec<PathBuf> = fs::read_dir(repository().join("tests/corpus"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir())
        .collect();
    folders.sort();
    assert!(folders.iter().any(|f| f.ends_with("1.0")), "{folders:?}");
    let read = |folder: &PathBuf| {
        let text = fs::read_to_string(folder.join("corpus.toml")).unwrap();
        toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
    };
    folders.iter().map(|f| (f.clone(), read(f))).collect()
}

#[test]
fn corpus_is_what_it_was_when_it_was_frozen() {
    for (folder, corpus) in versions() {
        let named = folder.file_name().unwrap().to_str().unwrap();
        assert!(
            corpus.contract.starts_with(&format!("{named}.")),
            "{named}: {}",
            corpus.contract
        );
        assert!(corpus.commit.len() == 40 && !corpus.toolchain.is_empty());
        let mut bytes = 0;
        for c in &corpus.component {
            let component = fs::read(c.file(&folder)).unwrap();
            bytes += component.len() as u64;
            assert_eq!(hex::encode(Sha256::digest(&component)), c.sha256, "{named}/{}", c.name);
            assert!(
                !c.source.is_empty() && c.fixtures(&folder).is_file(),
                "{named}/{}",
                c.name
            );
        }
        assert!(bytes <= MOST_BYTES, "{named} has {bytes} bytes");
        let files: BTreeSet<String> = fs::read_dir(folder.join("components"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        let listed = corpus.component.iter().map(|c| format!("{}.wasm", c.name));
        assert_eq!(
            files,
            listed.collect(),
            "{named}: what corpus.toml lists is what is there"
        );
        let worlds: BTreeSet<&str> = corpus.component.iter().map(|c| c.world.as_str()).collect();
        assert_eq!(worlds, ["identity", "payment", "report"].into(), "{named}");
    }
}

#[tokio::test]
async fn corpus_is_taken_by_the_host_of_today() {
    let host = TestHost::start(Store::Sqlite).await.unwrap();
    let operator = host.set_up().await.unwrap();
    for (folder, corpus) in versions() {
        for c in &corpus.component {
            let answer = operator
                .install_plugin(fs::read(c.file(&folder)).unwrap())
                .await
                .unwrap();
            let listed = answer.ok(201).unwrap();
            let wanted = [json!(c.world), json!(c.sha256), json!(corpus.contract)];
            assert_eq!(
                ["kind", "digest", "contract"].map(|m| listed[m].clone()),
                wanted,
                "{}",
                c.name
            );
        }
    }
}

/// The kit on one component. What is compiled is kept for the next command.
struct Kit {
    component: PathBuf,
    fixtures: PathBuf,
    scratch: TempDir,
}

impl Kit {
    /// Exit code, standard output as JSON, and the last line of standard error.
    fn run(&self, arguments: &[&str]) -> (i32, Value, String) {
        let out = Command::new(binary("aistack").unwrap())
            .args(["--json", "plugin"])
            .args(arguments)
            .arg("--wasm")
            .arg(&self.component)
            .arg(format!("--fixtures={}", self.fixtures.display()))
            .current_dir(self.scratch.path())
            .env("XDG_CACHE_HOME", self.scratch.path())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&out.stderr);
        (
            out.status.code().unwrap_or(-1),
            serde_json::from_slice(&out.stdout).unwrap_or_default(),
            err.lines().next_back().unwrap_or_default().to_owned(),
        )
    }

    /// All operations of its world, as the kit names them when asked for one that is none.
    fn known(&self) -> BTreeSet<String> {
        let (_, _, problem) = self.run(&["call", "nothing.at-all"]);
        let problem: Value = serde_json::from_str(&problem).unwrap_or_else(|e| panic!("{e}: {problem}"));
        assert_eq!(problem["code"], "no_such_operation", "{problem}");
        let hint = problem["hint"].as_str().unwrap();
        let names = hint.strip_prefix("one of ").unwrap().split(", ");
        names.map(str::to_owned).collect()
    }
}

#[test]
fn corpus_passes_its_suites_and_answers_as_it_did() {
    for (folder, corpus) in versions() {
        for c in &corpus.component {
            let kit = Kit {
                component: c.file(&folder),
                fixtures: c.fixtures(&folder),
                scratch: tempfile::tempdir().unwrap(),
            };
            let of = format!("{} of contract {}", c.name, corpus.contract);
            let (code, results, said) = kit.run(&["test"]);
            assert_eq!(
                (code, &results["failed"], &results["skipped"]),
                (0, &json!(0), &json!(0)),
                "{of}: {results:#} {said}"
            );
            assert_eq!(results["world"], c.world);
            assert!(results["passed"].as_u64().unwrap() >= 15, "{of}");

            let called: BTreeSet<String> = c.calls.iter().map(|c| c.operation.clone()).collect();
            assert_eq!(called, kit.known(), "{of}: every operation of the world is called");
            for call in &c.calls {
                let (_, answer, said) = kit.run(&["call", &call.operation, &call.arguments.to_string()]);
                let outcome = match answer.get("result") {
                    Some(_) => "ok",
                    None => answer["fault"]["code"].as_str().unwrap_or(&said),
                };
                assert_eq!(outcome, call.outcome, "{of}: {}: {answer:#}", call.operation);
                assert_eq!(answer["receipt"]["operation"], call.operation.as_str(), "{of}");
            }
        }
    }
}
