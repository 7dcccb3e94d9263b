//! Compiling. Cranelift has no bounds of its own (a 1.7 MB module can keep it busy for half a minute), so uploads are
//! compiled in a child process with limits on CPU time and address space.

use crate::{
    config::{CompileMode, RuntimeConfig},
    engine,
};
use aistack_core::{Entropy, Rng};
use aistack_domain::plugins::port::Refusal;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, process::Command, sync::Semaphore};

/// Environment of the child: where to write, and its limits.
const OUT: &str = "AISTACK_COMPILE_OUT";
const CPU: &str = "AISTACK_COMPILE_CPU_SECONDS";
const MEMORY: &str = "AISTACK_COMPILE_MEMORY";
/// `1` for code that counts fuel.
const FUEL: &str = "AISTACK_COMPILE_FUEL";

/// Compiles components, one at a time.
#[derive(Debug)]
pub(crate) struct Compiler {
    mode: CompileMode,
    cpu: Duration,
    memory: u64,
    fuel: bool,
    dir: PathBuf,
    rng: Arc<dyn Rng>,
    turn: Semaphore,
}

fn refused(why: impl std::fmt::Display) -> Refusal {
    Refusal::Compile(why.to_string())
}

impl Compiler {
    pub(crate) fn new(config: &RuntimeConfig, dir: PathBuf, rng: Arc<dyn Rng>) -> Self {
        Self {
            mode: config.compile.clone(),
            cpu: config.compile_cpu,
            memory: config.compile_memory,
            fuel: config.count_fuel,
            dir,
            rng,
            turn: Semaphore::new(1),
        }
    }

    /// Native code for a component, serialized by wasmtime.
    pub(crate) async fn compile(&self, component: Arc<[u8]>) -> Result<Vec<u8>, Refusal> {
        let _turn = self.turn.acquire().await.map_err(refused)?;
        match &self.mode {
            CompileMode::InProcess => {
                let fuel = self.fuel;
                tokio::task::spawn_blocking(move || compile(&component, fuel))
                    .await
                    .map_err(refused)?
                    .map_err(|e| refused(format!("{e:#}")))
            }
            CompileMode::Child { program, args } => {
                let out = self.dir.join(format!(".{}.out", hex::encode(self.rng.bytes::<16>())));
                let done = self.in_child(program, args, &component, &out).await;
                // The child's output is of no use once read, and absent when it failed.
                let _ = std::fs::remove_file(&out);
                done
            }
        }
    }

    async fn in_child(
        &self,
        program: &Path,
        args: &[String],
        component: &[u8],
        out: &Path,
    ) -> Result<Vec<u8>, Refusal> {
        let mut child = Command::new(program)
            .args(args)
            .env_clear()
            .env(OUT, out)
            .env(CPU, self.cpu.as_secs().max(1).to_string())
            .env(MEMORY, self.memory.to_string())
            .env(FUEL, if self.fuel { "1" } else { "0" })
            // Each thread and each arena of the allocator reserves address space: on a machine with many cores they
            // alone would exceed the limit.
            .env("RAYON_NUM_THREADS", "4")
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| Refusal::Host(format!("the compiling process can't be started: {e}")))?;
        let mut stdin = child.stdin.take();
        let work = async {
            if let Some(pipe) = stdin.as_mut() {
                // When the child is killed by its limits the pipe breaks; its exit says why.
                let _ = pipe.write_all(component).await;
            }
            drop(stdin.take());
            child.wait_with_output().await
        };
        // The child has several threads, so wall time is normally less than CPU time; this is for a child that hangs.
        let wall = self.cpu * 2 + Duration::from_secs(10);
        let done = tokio::time::timeout(wall, work)
            .await
            .map_err(|_| refused("it took too long"))?
            .map_err(|e| Refusal::Host(format!("the compiling process failed: {e}")))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let last: String = said.lines().last().unwrap_or_default().chars().take(400).collect();
            let why = if last.is_empty() {
                "it exceeded the limits on CPU time or memory".to_owned()
            } else {
                last
            };
            return Err(refused(format!("{why} ({})", done.status)));
        }
        tokio::fs::read(out)
            .await
            .map_err(|e| Refusal::Host(format!("the compiled component can't be read: {e}")))
    }
}

fn compile(component: &[u8], fuel: bool) -> wasmtime::Result<Vec<u8>> {
    engine::compiler(fuel)?.precompile_component(component)
}

/// The compiling child: reads a component from standard input and writes its compiled form where the parent said.
/// Call it first thing in `main` when the arguments are those of [`CompileMode::Child`].
pub fn compile_child_main() -> ! {
    match child() {
        Ok(()) => std::process::exit(0),
        Err(why) => {
            // The parent reads the last line; without it the exit status still says that it failed.
            let _ = writeln!(std::io::stderr(), "{why}");
            std::process::exit(1)
        }
    }
}

fn child() -> Result<(), String> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set: this is no command for people"));
    let number = |name: &str| var(name)?.parse::<u64>().map_err(|e| format!("{name}: {e}"));
    let limit = |resource, value| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(value),
                maximum: Some(value),
            },
        )
        .map_err(|e| format!("a limit can't be set: {e}"))
    };
    let out = var(OUT)?;
    limit(Resource::Cpu, number(CPU)?)?;
    limit(Resource::As, number(MEMORY)?)?;
    limit(Resource::Core, 0)?;
    let mut component = Vec::new();
    std::io::stdin()
        .read_to_end(&mut component)
        .map_err(|e| format!("the component can't be read: {e}"))?;
    let compiled = compile(&component, number(FUEL)? == 1).map_err(|e| format!("{e:#}").replace('\n', " "))?;
    std::fs::write(&out, compiled).map_err(|e| format!("the compiled form can't be written: {e}"))
}
