//! `cargo xtask sqlx`: what the query macros need in order to check every statement against both databases.
//!
//! It writes both stores' `sqlx.toml` from one list of column types, makes a database of each kind from the migrations,
//! lets the macros describe every statement there, and leaves the answers in the stores' `.sqlx` folders, with which
//! everybody else builds without a database. `--check` does the same beside the tree and fails when anything differs.
//!
//! Needs the `sqlite3` and `psql` programs, and a PostgreSQL: the one in `POSTGRES_URL` (a role that may create
//! databases), or a temporary one started from an installed server.

use crate::column_types::TYPES;
use crate::postgres::Server;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The two stores: crate, folder, variable with the database's address, migrations.
const STORES: [(&str, &str, &str, &str); 2] = [
    (
        "aistack-store-sqlite",
        "host/store-sqlite",
        "SQLITE_URL",
        "migrations/sqlite",
    ),
    (
        "aistack-store-postgres",
        "host/store-postgres",
        "POSTGRES_URL",
        "migrations/postgres",
    ),
];
/// Most functions of a `dialect.rs`.
const DIALECT_BUDGET: usize = 20;

/// What `cargo xtask sqlx` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail when something is out of date
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = &crate::repository()?;
    let check = arguments.check;
    for (_, folder, variable, _) in STORES {
        put(&root.join(folder).join("sqlx.toml"), &config(variable), check)?;
    }
    let scratch = scratch()?;
    let described = describe_both(root, &scratch, check);
    std::fs::remove_dir_all(&scratch).context("removing the scratch folder")?;
    described?;
    for (_, folder, ..) in STORES {
        let text = std::fs::read_to_string(root.join(folder).join("src/dialect.rs"))?;
        let count = text
            .lines()
            .filter(|line| line.starts_with("pub(crate)") && line.contains("fn "))
            .count();
        ensure!(
            count <= DIALECT_BUDGET,
            "{folder}/src/dialect.rs has {count} functions; the budget is {DIALECT_BUDGET}"
        );
        eprintln!("{folder}: {count} of {DIALECT_BUDGET} dialect functions");
    }
    Ok(())
}

/// Fills two databases and has every statement described by both.
fn describe_both(root: &Path, scratch: &Path, check: bool) -> Result<()> {
    let sqlite = scratch.join("check.db");
    apply_sqlite(root, &sqlite)?;
    let server = Server::given_or_temporary(scratch)?;
    let database = server.database("aistack_sqlx")?;
    for file in migrations(root, "migrations/postgres")? {
        psql(&database, &["--file", path(&file)?])?;
    }
    let urls = [format!("sqlite://{}", path(&sqlite)?), database];
    for ((name, folder, variable, _), url) in STORES.into_iter().zip(&urls) {
        let fresh = scratch.join(name);
        describe(root, name, folder, variable, url, &fresh)?;
        let committed = root.join(folder).join(".sqlx");
        if check {
            same(&committed, &fresh)?;
        } else {
            replace(&committed, &fresh)?;
        }
    }
    Ok(())
}

/// A store's `sqlx.toml`.
fn config(variable: &str) -> String {
    let mut text = String::from(
        "# Written by `cargo xtask sqlx` from the list in xtask/src/column_types.rs: both stores have the same types.\n\n",
    );
    let _ = writeln!(text, "[common]\ndatabase-url-var = \"{variable}\"");
    for (table, columns) in TYPES {
        let _ = writeln!(text, "\n[macros.table-overrides.'{table}']");
        for (column, kind) in *columns {
            let kind = match kind.strip_prefix("store::") {
                Some(kind) => format!("aistack_store::{kind}"),
                None if kind.contains("::") => (*kind).to_owned(),
                None => format!("aistack_core::{kind}"),
            };
            let _ = writeln!(text, "'{column}' = \"{kind}\"");
        }
    }
    text
}

/// Writes the file, or with `check` fails when it differs.
fn put(file: &Path, text: &str, check: bool) -> Result<()> {
    if std::fs::read_to_string(file).is_ok_and(|found| found == text) {
        return Ok(());
    }
    ensure!(!check, "{} is out of date: run `cargo xtask sqlx`", file.display());
    std::fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

/// A folder of our own that a PostgreSQL running as another user reaches too.
fn scratch() -> Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("aistack-sqlx-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
    Ok(dir)
}

/// All migrations of a kind: the platform's, then the tenants'.
fn migrations(root: &Path, folder: &str) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for part in ["platform", "tenant"] {
        let dir = root.join(folder).join(part);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&dir).with_context(|| format!("reading {}", dir.display()))? {
            files.push(entry?.path());
        }
        files.sort();
        all.append(&mut files);
    }
    Ok(all)
}

fn apply_sqlite(root: &Path, database: &Path) -> Result<()> {
    for file in migrations(root, "migrations/sqlite")? {
        let output = Command::new("sqlite3")
            .arg("-bail")
            .arg(database)
            .stdin(std::fs::File::open(&file)?)
            .output()
            .context("running sqlite3 (install the sqlite3 package)")?;
        ensure!(
            output.status.success(),
            "{}: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// Runs `psql` on a database and answers what it printed.
pub(crate) fn psql(url: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            url,
        ])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("running psql (install the postgresql-client package)")?;
    ensure!(
        output.status.success(),
        "psql {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Compiles the crate against the live database; its macros write what they learn into `into`.
fn describe(root: &Path, name: &str, folder: &str, variable: &str, url: &str, into: &Path) -> Result<()> {
    std::fs::create_dir_all(into)?;
    // Cargo knows nothing of databases: a fresh time stamp makes it expand the macros again.
    let lib = root.join(folder).join("src/lib.rs");
    std::fs::write(&lib, std::fs::read(&lib)?)?;
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--quiet", "--package", name, "--lib"])
        .current_dir(root)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", into)
        .env(variable, url)
        .status()
        .context("running cargo")?;
    // And once more without a database for whoever builds next.
    std::fs::write(&lib, std::fs::read(&lib)?)?;
    ensure!(status.success(), "{name} does not compile against its database");
    Ok(())
}

fn read_folder(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if dir.is_dir() {
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            files.insert(
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path())?,
            );
        }
    }
    Ok(files)
}

fn same(committed: &Path, fresh: &Path) -> Result<()> {
    let (committed_files, fresh_files) = (read_folder(committed)?, read_folder(fresh)?);
    for (name, text) in &fresh_files {
        match committed_files.get(name) {
            Some(found) if found == text => {}
            Some(_) => bail!("{}/{name} is out of date: run `cargo xtask sqlx`", committed.display()),
            None => bail!("{}/{name} is missing: run `cargo xtask sqlx`", committed.display()),
        }
    }
    for name in committed_files.keys() {
        ensure!(
            fresh_files.contains_key(name),
            "{}/{name} belongs to no statement any more: run `cargo xtask sqlx`",
            committed.display()
        );
    }
    Ok(())
}

fn replace(committed: &Path, fresh: &Path) -> Result<()> {
    let files = read_folder(fresh)?;
    ensure!(!files.is_empty(), "the macros described nothing");
    if committed.is_dir() {
        std::fs::remove_dir_all(committed)?;
    }
    std::fs::create_dir_all(committed)?;
    for (name, text) in files {
        std::fs::write(committed.join(name), text)?;
    }
    Ok(())
}

fn path(path: &Path) -> Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
