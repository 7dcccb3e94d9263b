//! `aistack plugin bench` and `dev`.

use super::{Component, Failure, In, Output, json_argument, options, refused, scripted};
use aistack_devkit::{
    bench, dev,
    project::Settings,
    run::{Options, Runner},
};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct Bench {
    /// The operation
    #[arg(default_value = "lifecycle.describe")]
    operation: String,
    /// Arguments as JSON, or @FILE, or @- for standard input
    #[arg(value_name = "JSON", default_value = "{}")]
    arguments: String,
    #[command(flatten)]
    component: Component,
    /// Calls that count
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
    /// Take settings and the provider's answers from a file of fixtures instead of aistack-dev.toml and the network
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "tests/fixtures.toml")]
    fixtures: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Dev {
    #[command(flatten)]
    project: In,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Keep names and line tables, so that a crash tells where it happened
    #[arg(long)]
    debug: bool,
}

impl Bench {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let arguments = json_argument(&self.arguments, "the arguments")?;
        let dir = &self.component.project.dir;
        let bytes = self.component.bytes()?;
        let (settings, options) = match &self.fixtures {
            Some(file) => scripted(&dir.join(file))?,
            None => (Settings::of(dir).map_err(refused)?, options()),
        };
        let counting = Options {
            count_fuel: true,
            ..options.clone()
        };
        let runner = Runner::start(&bytes, options).await.map_err(refused)?;
        let mut f = bench::run(&runner, &settings, dir, &self.operation, &arguments, self.calls)
            .await
            .map_err(refused)?;
        let counting = Runner::start(&bytes, counting).await.map_err(refused)?;
        f.fuel = bench::fuel(&counting, &settings, dir, &self.operation, &arguments)
            .await
            .map_err(refused)?;
        out.value(&f, |w| {
            writeln!(
                w,
                "{} × {}, one after the other, a fresh instance each",
                f.calls, f.operation
            )?;
            writeln!(
                w,
                "call     p50 {} µs, p90 {} µs, p99 {} µs, slowest {} µs, first {} µs",
                f.p50_us, f.p90_us, f.p99_us, f.max_us, f.first_us
            )?;
            writeln!(w, "plugin   p50 {} µs", f.guest_p50_us)?;
            if let Some(fuel) = f.fuel {
                writeln!(w, "fuel     {fuel} for a call, the same on every machine")?;
            }
            writeln!(w, "rate     {} calls/s", f.calls_per_s)?;
            writeln!(w, "memory   {} KiB at most", f.peak_memory >> 10)?;
            writeln!(
                w,
                "cost     {} host calls, {} bytes over the network, at most",
                f.host_calls, f.bytes
            )?;
            for (outcome, n) in &f.outcomes {
                writeln!(w, "ended    {outcome} × {n}")?;
            }
            Ok(())
        })
    }
}

impl Dev {
    pub(super) async fn run(&self, out: &Output) -> Result<(), Failure> {
        let out = *out;
        let say = move |event: &dev::Event| {
            // Whoever read it may be gone; the server is not.
            let _ = out.value(event, |w| match event {
                dev::Event::Listening { url } => {
                    writeln!(w, "{url}  (form, calls; deliveries at {url}/hooks/<endpoint>)")
                }
                dev::Event::Swapped {
                    build_ms,
                    swap_ms,
                    size,
                    ..
                } => {
                    writeln!(
                        w,
                        "in place: {size} bytes, built in {build_ms} ms, swapped in {swap_ms} ms"
                    )
                }
                dev::Event::Refused { problem } => {
                    writeln!(w, "not in place: {}", problem["detail"].as_str().unwrap_or_default())?;
                    for e in problem["errors"].as_array().into_iter().flatten() {
                        let part = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
                        writeln!(
                            w,
                            "  {}:{}:{} {}: {}",
                            part("file"),
                            e["line"],
                            e["column"],
                            part("pointer"),
                            part("message")
                        )?;
                    }
                    match problem["hint"].as_str() {
                        Some(hint) => writeln!(w, "  hint: {hint}"),
                        None => Ok(()),
                    }
                }
                dev::Event::Called {
                    operation,
                    outcome,
                    wall_us,
                } => writeln!(w, "{operation}: {outcome} in {wall_us} µs"),
            });
        };
        tokio::select! {
            done = dev::serve(self.project.dir.clone(), self.port, self.debug, options(), say) => done.map_err(refused),
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }
}
