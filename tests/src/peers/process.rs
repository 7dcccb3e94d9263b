//! A peer's process: its own group, a log, a scratch folder, and an end that cannot be forgotten.
//!
//! Peers run under `tests/peers/guard.sh`, which lives on the other end of a pipe: when the pipe closes (the
//! [`Process`] is dropped, or the test process ends in whatever way) the peer is stopped and its scratch folder removed.

use super::PeerError;
use anyhow::{Context as _, anyhow};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(25);

/// What to start.
pub struct Command {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    unset: Vec<&'static str>,
    stop_signal: &'static str,
    scratch: PathBuf,
}

impl Command {
    /// A command with an empty scratch folder of its own, removed when the process has ended.
    ///
    /// # Errors
    /// When the scratch folder cannot be made.
    pub fn new(program: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix("aistack-peer-")
            .tempdir()
            .context("scratch folder")?
            .keep();
        Ok(Self {
            program: program.into(),
            args: vec![],
            env: vec![],
            unset: vec![],
            stop_signal: "TERM",
            scratch,
        })
    }

    /// The scratch folder.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Appends an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<String>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Takes a variable out of the environment.
    #[must_use]
    pub fn unset(mut self, name: &'static str) -> Self {
        self.unset.push(name);
        self
    }

    /// The signal that asks the process to end, `TERM` unless told.
    #[must_use]
    pub fn stop_signal(mut self, name: &'static str) -> Self {
        self.stop_signal = name;
        self
    }

    /// Starts the command under the guard.
    ///
    /// # Errors
    /// When the guard cannot be started.
    pub fn spawn(self) -> anyhow::Result<Process> {
        use std::os::unix::process::CommandExt as _;
        let log_path = self.scratch.join("output.log");
        let log = std::fs::File::create(&log_path).context("log file")?;
        let mut command = std::process::Command::new("bash");
        command
            .arg(super::scripts().join("guard.sh"))
            .args(["--signal", self.stop_signal, "--remove"])
            .arg(&self.scratch)
            .arg("--pid-file")
            .arg(self.scratch.join("pid"))
            .arg("--")
            .arg(&self.program)
            .args(&self.args)
            .envs(self.env)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C in a terminal reaches the tests, not the guard, which must live to clean up.
            .process_group(0);
        for name in self.unset {
            command.env_remove(name);
        }
        let mut guard = command.spawn().context("starting tests/peers/guard.sh")?;
        let pipe = guard.stdin.take();
        Ok(Process {
            name: self.program,
            guard,
            pipe,
            log: log_path,
            scratch: self.scratch,
        })
    }
}

/// A running peer. Dropping it stops it and waits until it is gone.
pub struct Process {
    name: PathBuf,
    guard: Child,
    pipe: Option<ChildStdin>,
    log: PathBuf,
    scratch: PathBuf,
}

impl Process {
    /// The scratch folder, gone after the process.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// What the process wrote so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Ends the process and all it started with SIGKILL, as a power cut would, and waits until they are gone.
    ///
    /// # Errors
    /// When the process is not known or already gone.
    pub fn kill(mut self) -> anyhow::Result<()> {
        let pid = std::fs::read_to_string(self.scratch.join("pid")).context("the guard wrote no pid")?;
        let pid = rustix::process::Pid::from_raw(pid.trim().parse()?).context("not a process id")?;
        rustix::process::kill_process_group(pid, rustix::process::Signal::KILL).context("SIGKILL")?;
        self.guard.wait().context("the guard")?;
        Ok(())
    }

    /// Waits until `probe` yields a value.
    ///
    /// # Errors
    /// When the process ends first or `limit` passes; the error shows the last lines of its output.
    pub async fn ready<T, F: Future<Output = Option<T>>>(
        &mut self,
        limit: Duration,
        mut probe: impl FnMut(String) -> F,
    ) -> Result<T, PeerError> {
        let waiting = async {
            loop {
                if let Some(value) = probe(self.output()).await {
                    return Ok(value);
                }
                if let Some(status) = self.guard.try_wait()? {
                    return Err(anyhow!("ended with {status} before it was ready"));
                }
                tokio::time::sleep(POLL).await;
            }
        };
        let outcome = tokio::time::timeout(limit, waiting).await;
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.describe(&error).into()),
            Err(_) => Err(self.describe(&anyhow!("not ready after {limit:?}")).into()),
        }
    }

    /// Waits until the address takes connections.
    ///
    /// # Errors
    /// As [`Process::ready`].
    pub async fn ready_on_port(&mut self, limit: Duration, port: u16) -> Result<(), PeerError> {
        self.ready(limit, |_| async move {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await
        .map(drop)
    }

    fn describe(&self, error: &anyhow::Error) -> anyhow::Error {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        let tail = lines[lines.len().saturating_sub(25)..].join("\n");
        anyhow!("{}: {error:#}; its last output:\n{tail}", self.name.display())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // The guard gives the peer five seconds before it kills it, so this ends.
        let _ = self.guard.wait();
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

/// A port of 127.0.0.1 that was free a moment ago, for peers that cannot choose one by themselves.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))
        .context("no free port")?
        .local_addr()?
        .port())
}
