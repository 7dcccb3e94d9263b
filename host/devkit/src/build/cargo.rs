//! Rust projects: plain cargo for wasm32-wasip2, nothing else.

use super::{Options, not_started, tool};
use crate::{Error, project::Project};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::Stdio,
    thread,
};

const TARGET: &str = "wasm32-wasip2";

pub(super) fn component(project: &Project, options: &Options) -> Result<Vec<u8>, Error> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut cargo = tool(&program, &project.dir);
    cargo.args([
        "build",
        "--release",
        "--target",
        TARGET,
        "--message-format=json-render-diagnostics",
    ]);
    if let Some(folder) = &options.afresh_in {
        cargo.arg("--target-dir").arg(folder);
    }
    if options.debug {
        cargo
            .env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only")
            .env("CARGO_PROFILE_RELEASE_STRIP", "none");
    }
    let hint = "install Rust from https://rustup.rs, then: rustup target add wasm32-wasip2";
    let mut child = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| not_started("cargo", &e, hint))?;
    // What cargo says is passed on as it comes, and kept: a missing target shows there alone.
    let said = child.stderr.take().map(|mut stderr| {
        thread::spawn(move || {
            let (mut all, mut buf) = (Vec::new(), [0; 4096]);
            while let Ok(n @ 1..) = stderr.read(&mut buf) {
                all.extend_from_slice(&buf[..n]);
                // Nobody left to hear it is no reason to stop building.
                let _ = std::io::Write::write_all(&mut std::io::stderr(), &buf[..n]);
            }
            String::from_utf8_lossy(&all).into_owned()
        })
    });
    let mut made = None;
    for line in child
        .stdout
        .take()
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(Result::ok)
    {
        made = library(&line).or(made);
    }
    let status = child.wait().map_err(|e| not_started("cargo", &e, hint))?;
    let said = said.and_then(|t| t.join().ok()).unwrap_or_default();
    if !status.success() {
        let missing = said.contains("target may not be installed") || said.contains("can't find crate for `std`");
        return Err(Error::Build {
            what: format!("cargo build ended with {status}"),
            hint: if missing {
                format!("rustup target add {TARGET}")
            } else {
                "cargo has said above what is wrong".to_owned()
            },
        });
    }
    let path = made.ok_or_else(|| Error::Build {
        what: "cargo made no WebAssembly library".to_owned(),
        hint: "Cargo.toml needs [lib] crate-type = [\"cdylib\"]".to_owned(),
    })?;
    fs::read(&path).map_err(Error::file(path))
}

/// The `.wasm` of the project's own library, if a line of cargo's output names it. Other packages' come before it.
fn library(line: &str) -> Option<String> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_library = message["reason"] == "compiler-artifact"
        && message["target"]["crate_types"]
            .as_array()?
            .iter()
            .any(|t| t == "cdylib");
    let mut files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    is_library.then(|| files.rfind(|f| f.ends_with(".wasm")).map(str::to_owned))?
}
