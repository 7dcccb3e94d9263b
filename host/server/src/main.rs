//! `aistack`: one binary for the server and for talking to it.

use aistack_server::cli::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // The plugin runtime starts this program again to compile an upload within limits. That child must do nothing else:
    // no runtime, no configuration, no threads.
    if std::env::args_os().nth(1).is_some_and(|a| a == "compile-plugin") {
        aistack_plugins::compile_child_main();
    }
    let cli = Cli::parse();
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            aistack_server::cli::Failure::from(e).say(json);
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.say(json);
            ExitCode::from(failure.code())
        }
    }
}
