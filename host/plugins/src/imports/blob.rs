//! `blob`: files a plugin writes, kept by the platform.

use super::{Answer, fault};
use crate::{
    call::CallState,
    checks::names,
    v1::{bindings::blob as wit, convert::fault_out},
};
use aistack_domain::plugins::port::{FaultKind, FileWriter};
use wasmtime::component::Resource;

/// A file being written; `None` once finished or broken.
#[expect(unreachable_pub, reason = "named by generated code")]
pub struct Sink(Option<Box<dyn FileWriter>>);

impl wit::Host for CallState {
    async fn create(&mut self, name: String, media_type: String) -> Answer<Resource<Sink>> {
        enter!(self, "blob");
        if let Err(f) = names::file(&name, &media_type) {
            return Ok(Err(fault_out(f)));
        }
        match self.inv.services.create_file(&name, &media_type).await {
            Ok(writer) => Ok(Ok(self.table.push(Sink(Some(writer)))?)),
            Err(f) => Ok(Err(fault_out(f))),
        }
    }
}

fn finished() -> crate::v1::bindings::types::Fault {
    fault(
        FaultKind::Conflict,
        "file_finished",
        "the file was finished or could not be written",
    )
}

impl wit::HostSink for CallState {
    async fn write(&mut self, sink: Resource<Sink>, bytes: Vec<u8>) -> Answer<()> {
        enter!(self, "blob");
        let sink = self.table.get_mut(&sink)?;
        let Some(writer) = sink.0.as_mut() else {
            return Ok(Err(finished()));
        };
        let written = writer.write(&bytes).await;
        if written.is_err() {
            // What was written so far is not a prefix of anything the plugin meant.
            sink.0 = None;
        }
        Ok(written.map_err(fault_out))
    }

    async fn finish(&mut self, sink: Resource<Sink>) -> Answer<String> {
        enter!(self, "blob");
        let Some(writer) = self.table.get_mut(&sink)?.0.take() else {
            return Ok(Err(finished()));
        };
        Ok(writer.finish().await.map_err(fault_out))
    }

    async fn drop(&mut self, sink: Resource<Sink>) -> wasmtime::Result<()> {
        self.table.delete(sink)?;
        Ok(())
    }
}
