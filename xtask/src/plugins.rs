//! `cargo xtask plugins`: builds every plugin with plain cargo for wasm32-wasip2, checks what came out, and puts it into
//! `dist/plugins/<name>.wasm`. The deliberately bad components of `tests/hostile/`, when there are any, go to
//! `dist/hostile/` unchecked.

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::{CrateType, Metadata, MetadataCommand};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};
use wasmparser::{Parser, Payload};

const TARGET: &str = "wasm32-wasip2";
/// What a component starts with: the magic number, version 13 and layer 1.
const COMPONENT_PREAMBLE: [u8; 8] = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
const MANIFEST: &str = "aistack:manifest";
const SCHEMA: &str = "aistack:config-schema";

/// What `cargo xtask plugins` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build only these plugins (folder names); all of them when none is given
    names: Vec<String>,
    /// Build without optimisation: faster to build, larger and slower to run
    #[arg(long)]
    dev: bool,
}

/// Builds, checks and copies.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = &crate::repository()?;
    let plugins = Workspace::open(&root.join("plugins"))?;
    for member in &plugins.components {
        tested(&plugins.folder.join(&member.name))?;
    }
    for name in &arguments.names {
        ensure!(
            plugins.components.iter().any(|c| c.name == *name),
            "there is no plugin {name:?}"
        );
    }
    for component in plugins.build(&root.join("dist/plugins"), arguments)? {
        check(&component).with_context(|| component.name.clone())?;
    }
    let hostile = root.join("tests/hostile");
    if hostile.join("Cargo.toml").exists() && arguments.names.is_empty() {
        Workspace::open(&hostile)?.build(&root.join("dist/hostile"), arguments)?;
    }
    Ok(())
}

/// A workspace whose members are built as components.
struct Workspace {
    folder: PathBuf,
    target_dir: PathBuf,
    components: Vec<Member>,
}

/// A member that is a `cdylib`.
struct Member {
    /// Folder name, and so the name of the component's file.
    name: String,
    package: String,
    /// File name that cargo gives the library, without extension.
    library: String,
}

/// A component that was built.
struct Component {
    name: String,
    bytes: Vec<u8>,
}

impl Workspace {
    fn open(folder: &Path) -> Result<Self> {
        let metadata = MetadataCommand::new()
            .current_dir(folder)
            .no_deps()
            .exec()
            .with_context(|| format!("reading the workspace {}", folder.display()))?;
        let components = members(&metadata)?;
        // A folder of its own: components are built with another profile, and cargo's lock on the folder would make
        // a build of the host wait for them.
        let target_dir = metadata.target_directory.as_std_path().join("guests");
        Ok(Self {
            folder: folder.to_owned(),
            target_dir,
            components,
        })
    }

    fn build(&self, out: &Path, arguments: &Arguments) -> Result<Vec<Component>> {
        let (profile, profile_folder) = if arguments.dev {
            ("dev", "debug")
        } else {
            ("release", "release")
        };
        let wanted = |m: &&Member| arguments.names.is_empty() || arguments.names.contains(&m.name);
        let mut built = Vec::new();
        fs::create_dir_all(out)?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .current_dir(&self.folder)
            .args(["build", "--quiet", "--target", TARGET, "--profile", profile]);
        cargo.arg("--target-dir").arg(&self.target_dir);
        for member in self.components.iter().filter(wanted) {
            cargo.args(["--package", &member.package]);
        }
        // Flags meant for the host's build must not leak into that of the components.
        for variable in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
        ] {
            cargo.env_remove(variable);
        }
        ensure!(cargo.status()?.success(), "building {} failed", self.folder.display());
        for member in self.components.iter().filter(wanted) {
            let from = self
                .target_dir
                .join(TARGET)
                .join(profile_folder)
                .join(format!("{}.wasm", member.library));
            let bytes = fs::read(&from).with_context(|| format!("reading {}", from.display()))?;
            if !bytes.starts_with(&COMPONENT_PREAMBLE) {
                bail!("{} is not a component", from.display());
            }
            let to = out.join(format!("{}.wasm", member.name));
            fs::write(&to, &bytes)?;
            report(&to, &bytes)?;
            built.push(Component {
                name: member.name.clone(),
                bytes,
            });
        }
        Ok(built)
    }
}

fn members(metadata: &Metadata) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(library) = package
            .targets
            .iter()
            .find(|t| t.crate_types.contains(&CrateType::CDyLib))
        else {
            continue;
        };
        let folder = package
            .manifest_path
            .parent()
            .and_then(|p| p.file_name())
            .context("a package has a folder")?;
        members.push(Member {
            name: folder.to_owned(),
            package: package.name.to_string(),
            library: library.name.replace('-', "_"),
        });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}

/// Every plugin has to run its world's conformance suite in its own tests.
fn tested(folder: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        let is_rust = entry.path().extension().is_some_and(|e| e == "rs");
        if is_rust && fs::read_to_string(entry.path())?.contains("conformance::Plugin {") {
            return Ok(());
        }
    }
    bail!(
        "{} does not run the conformance suite of its world (aistack_sdk_test::conformance)",
        folder.display()
    );
}

/// The embedded texts have to be there, and the manifest has to declare exactly the powers that the code uses: one too
/// few and the host refuses to run it, one too many and an administrator grants what nobody needs.
fn check(component: &Component) -> Result<()> {
    let found = look_inside(&component.bytes)?;
    let text = |name: &str| {
        let bytes = found.sections.get(name).with_context(|| {
            format!("the section {name} is missing; does the crate call one of the export macros of aistack-sdk?")
        })?;
        Ok::<_, anyhow::Error>(std::str::from_utf8(bytes)?)
    };
    serde_json::from_str::<serde_json::Value>(text(SCHEMA)?).context("config.schema.json")?;
    let manifest: toml::Table = toml::from_str(text(MANIFEST)?).context("aistack-plugin.toml")?;
    let declared = declared(&manifest);
    // These reach nothing outside the call and are not declared.
    let used: BTreeSet<_> = found
        .interfaces
        .iter()
        .map(String::as_str)
        .filter(|i| !["log", "config", "clock", "random", "crypto"].contains(i))
        // A download goes where `http` may go, and is declared by it.
        .map(|i| if i == "download" { "http" } else { i })
        .collect();
    ensure!(
        declared == used,
        "the manifest declares {declared:?}, the code uses {used:?}"
    );
    Ok(())
}

/// The host interfaces that a manifest's declarations amount to.
fn declared(manifest: &toml::Table) -> BTreeSet<&'static str> {
    let list = |name: &str| {
        manifest
            .get(name)
            .and_then(toml::Value::as_array)
            .map_or(&[][..], Vec::as_slice)
    };
    let says = |entry: &toml::Value, key: &str, value: &str| entry.get(key).is_some_and(|v| v.as_str() == Some(value));
    let grant = |name: &str| manifest.get("grants").and_then(|g| g.get(name));
    let uses = |use_: &str| {
        let listed = |s: &toml::Value| {
            s.get("use")
                .and_then(toml::Value::as_array)
                .is_some_and(|u| u.iter().any(|u| u.as_str() == Some(use_)))
        };
        list("secret").iter().any(listed)
    };
    let reads = |r: &toml::Value| {
        r.get("datasets")
            .and_then(toml::Value::as_array)
            .is_some_and(|d| !d.is_empty())
    };
    [
        ("kv", grant("kv").is_some()),
        ("secrets", !list("secret").is_empty()),
        ("reveal", uses("reveal")),
        ("http", list("egress").iter().any(|e| says(e, "kind", "http"))),
        ("dial", list("egress").iter().any(|e| says(e, "kind", "dial"))),
        (
            "blob",
            !list("report").is_empty() || grant("blob").and_then(toml::Value::as_bool) == Some(true),
        ),
        ("datasets", list("report").iter().any(reads)),
    ]
    .into_iter()
    .filter_map(|(name, declared)| declared.then_some(name))
    .collect()
}

/// What a component carries and what it wants.
#[derive(Default)]
struct Inside {
    /// Custom sections of the core modules.
    sections: BTreeMap<String, Vec<u8>>,
    /// Host interfaces that can be granted, e.g. `http`, `datasets`.
    interfaces: BTreeSet<String>,
}

fn look_inside(bytes: &[u8]) -> Result<Inside> {
    let mut inside = Inside::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) => {
                inside
                    .sections
                    .insert(section.name().to_owned(), section.data().to_vec());
            }
            // Only the outermost component's imports reach the host; inner ones are wired up inside.
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    inside.interfaces.extend(grantable(import?.name.name));
                }
            }
            _ => {}
        }
    }
    Ok(inside)
}

/// `http` of `aistack:host/http@1.0.0`; nothing for types and WASI, which need no grant.
fn grantable(import: &str) -> Option<String> {
    let path = import.split('@').next()?;
    let name = path
        .strip_prefix("aistack:host/")
        .or_else(|| path.strip_prefix("aistack:report/"))?;
    Some(name.to_owned())
}

fn report(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let kib = bytes.len().div_ceil(1024);
    let digest = hex::encode(Sha256::digest(bytes));
    writeln!(std::io::stdout(), "{name:<24} {kib:>6} KiB  sha256 {digest}")?;
    Ok(())
}
