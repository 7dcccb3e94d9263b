//! The denying WASI: as much as Rust's `std` needs to start. No arguments, no environment, no files, no sockets;
//! output is captured for the receipt, `exit` ends the guest. Clocks and randomness are harmless and real.

use crate::{
    call::{CallState, Captured},
    journal::Journaling,
};
use bytes::Bytes;
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{
    HostWallClock, WasiCtxBuilder, WasiCtxView, WasiView,
    cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView},
    p2::bindings::{cli, clocks, random},
};
use wasmtime_wasi_io::{
    bindings::wasi::io as wasi_io,
    poll::Pollable,
    streams::{OutputStream, StreamResult},
};

struct Io;
impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

pub(super) fn link(l: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wasi_io::error::add_to_linker::<_, Io>(l, |s| &mut s.table)?;
    wasi_io::poll::add_to_linker::<_, Journaling>(l, CallState::journaled)?;
    wasi_io::streams::add_to_linker::<_, Io>(l, |s| &mut s.table)?;
    cli::environment::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, CallState::cli)?;
    clocks::wall_clock::add_to_linker::<_, Journaling>(l, CallState::journaled)?;
    clocks::monotonic_clock::add_to_linker::<_, Journaling>(l, CallState::journaled)?;
    random::random::add_to_linker::<_, Journaling>(l, CallState::journaled)?;
    random::insecure::add_to_linker::<_, Journaling>(l, CallState::journaled)?;
    random::insecure_seed::add_to_linker::<_, Journaling>(l, CallState::journaled)?;
    Ok(())
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let ctx = self.wasi.get_or_insert_with(|| {
            WasiCtxBuilder::new()
                .stdout(self.output.clone())
                .stderr(self.output.clone())
                .wall_clock(PlatformClock(Arc::clone(&self.shared.clock)))
                .max_random_size(64 << 10)
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false)
                .build()
        });
        WasiCtxView {
            ctx,
            table: &mut self.table,
        }
    }
}

struct PlatformClock(Arc<dyn aistack_core::Clock>);
impl HostWallClock for PlatformClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }
    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().as_micros()).unwrap_or(0))
    }
}

impl IsTerminal for Captured {
    fn is_terminal(&self) -> bool {
        false
    }
}
impl StdoutStream for Captured {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}
#[async_trait::async_trait]
impl Pollable for Captured {
    async fn ready(&mut self) {}
}
impl OutputStream for Captured {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(8 << 10)
    }
}
impl AsyncWrite for Captured {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.append(buf);
        Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
