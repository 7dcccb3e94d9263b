//! How a plugin host is set up.

use crate::net::{HttpPeer, NameLookup, SystemLookup};
use secrecy::SecretBox;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Where uploads are compiled.
#[derive(Debug, Clone)]
pub enum CompileMode {
    /// In a child process with limits on CPU time and memory. The program must call
    /// [`crate::compile_child_main`] when it gets these arguments.
    Child {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
    /// In this process, without limits. For tests and benches on components that are trusted.
    InProcess,
}

/// Settings of a [`crate::PluginHost`].
#[derive(Debug)]
pub struct RuntimeConfig {
    /// Directory for compiled components (`compiled/` is made inside, mode 0700).
    pub dir: PathBuf,
    /// Key that authenticates compiled components on disk. Without the same key they are compiled anew.
    pub cache_key: SecretBox<[u8; 32]>,
    /// Where uploads are compiled.
    pub compile: CompileMode,
    /// CPU time one compilation may take. Interpreters (components of JavaScript and Python) take some 20 s on an idle
    /// core.
    pub compile_cpu: Duration,
    /// Address space one compilation may take, in bytes.
    pub compile_memory: u64,
    /// Largest component, in bytes.
    pub max_component: u64,
    /// Instances that may be alive at once, over all tenants.
    pub instances: u32,
    /// Calls of one tenant that may run at once; others of it wait.
    pub tenant_calls: u32,
    /// How long a call may wait for its turn before it is refused.
    pub max_queue: Duration,
    /// Largest linear memory any call can be given, in bytes.
    pub max_memory: usize,
    /// Threads that run guests; 0 = one per core.
    pub threads: usize,
    /// How host names become addresses.
    pub names: Arc<dyn NameLookup>,
    /// Answers guests' HTTP requests in place of the network: for authors' tests, never set by the server.
    pub peer: Option<Arc<dyn HttpPeer>>,
    /// Count what instructions cost, in receipts. Takes a third of the speed: for authors' measurements.
    pub count_fuel: bool,
}

impl RuntimeConfig {
    /// The defaults: compile in a child of this very program (`<this program> compile-plugin`), 256 instances, 16 MiB
    /// components.
    #[must_use]
    pub fn new(dir: PathBuf, cache_key: SecretBox<[u8; 32]>) -> Self {
        let compile = match std::env::current_exe() {
            Ok(program) => CompileMode::Child {
                program,
                args: vec!["compile-plugin".to_owned()],
            },
            // No way to name ourselves: a child can't be started, and admitting says so.
            Err(_) => CompileMode::Child {
                program: PathBuf::from("aistack"),
                args: vec!["compile-plugin".to_owned()],
            },
        };
        Self {
            dir,
            cache_key,
            compile,
            compile_cpu: Duration::from_secs(120),
            compile_memory: 2 << 30,
            max_component: 16 << 20,
            instances: 256,
            tenant_calls: 32,
            max_queue: Duration::from_secs(2),
            max_memory: 512 << 20,
            threads: 0,
            names: Arc::new(SystemLookup),
            peer: None,
            count_fuel: false,
        }
    }
}
