//! A PostgreSQL to check statements against: the one in `POSTGRES_URL`, or a temporary cluster of an installed server.

use crate::sqlx::psql;
use anyhow::{Context, Result, bail, ensure};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server, stopped when dropped if it is ours.
pub(crate) struct Server {
    /// Address of its maintenance database.
    url: String,
    /// Databases made here, removed at the end.
    made: std::cell::RefCell<Vec<String>>,
    own: Option<Cluster>,
}

struct Cluster {
    bin: PathBuf,
    data: PathBuf,
}

impl Server {
    /// The given server, or a temporary one in `scratch`.
    pub(crate) fn given_or_temporary(scratch: &Path) -> Result<Self> {
        if let Ok(url) = std::env::var("POSTGRES_URL") {
            return Ok(Self {
                url,
                made: Vec::default().into(),
                own: None,
            });
        }
        let bin = installed().context("no PostgreSQL server is installed: set POSTGRES_URL or install postgresql")?;
        let home = scratch.join("postgres");
        std::fs::create_dir_all(&home)?;
        let cluster = Cluster {
            bin,
            data: home.join("data"),
        };
        if unsafe_user() {
            // initdb refuses to run as root; the server's package made a user for it. It must reach the folder.
            let home = home.to_string_lossy();
            output(Command::new("chown").args(["-R", "postgres", home.as_ref()]))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let data = cluster.data.to_string_lossy().into_owned();
        output(cluster.command("initdb").args([
            "-D",
            &data,
            "-U",
            "aistack",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]))?;
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off");
        let log = home.join("log").to_string_lossy().into_owned();
        output(
            cluster
                .command("pg_ctl")
                .args(["-D", &data, "-w", "-l", &log, "-o", &options, "start"]),
        )?;
        Ok(Self {
            url: format!("postgres://aistack@127.0.0.1:{port}/postgres"),
            made: Vec::default().into(),
            own: Some(cluster),
        })
    }

    /// Makes an empty database and answers its address.
    pub(crate) fn database(&self, prefix: &str) -> Result<String> {
        let name = format!("{prefix}_{}", std::process::id());
        psql(&self.url, &["--command", &format!("CREATE DATABASE {name}")])?;
        self.made.borrow_mut().push(name.clone());
        let (server, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (server, _) = server.rsplit_once('/').context("POSTGRES_URL names no database")?;
        ensure!(server.contains("://"), "POSTGRES_URL names no database");
        Ok(match query {
            "" => format!("{server}/{name}"),
            query => format!("{server}/{name}?{query}"),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for name in self.made.borrow().iter() {
            drop(psql(
                &self.url,
                &["--command", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")],
            ));
        }
        if let Some(cluster) = &self.own {
            let data = cluster.data.to_string_lossy().into_owned();
            if let Err(e) = output(cluster.command("pg_ctl").args(["-D", &data, "-m", "immediate", "stop"])) {
                eprintln!("stopping the temporary PostgreSQL: {e:#}");
            }
        }
    }
}

impl Cluster {
    /// One of the server's programs, as a user it accepts.
    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        if unsafe_user() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
                .arg(program);
            if let Some(home) = self.data.parent() {
                command.current_dir(home);
            }
            command
        } else {
            Command::new(program)
        }
    }
}

/// The folder of the newest installed server's programs.
fn installed() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for base in ["/usr/lib/postgresql", "/usr/local/lib/postgresql"] {
        for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
            let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            let bin = entry.path().join("bin");
            if bin.join("initdb").exists() {
                found.push((version, bin));
            }
        }
    }
    found.sort();
    found.pop().map(|(_, bin)| bin)
}

/// Whether we run as root, as whom PostgreSQL refuses to run.
fn unsafe_user() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn output(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
