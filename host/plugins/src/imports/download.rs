//! `download`: files too large for `http`, kept by the host in an unnamed temporary file while the guest reads parts.

use super::{
    Answer, fault,
    http::{Line, failed, prepare, send_one},
};
use crate::{
    call::{CallState, FileRedactor},
    checks::names,
    crypto,
    v1::{
        bindings::{download as wit, http::Credential, types},
        convert::fault_out,
    },
};
use aistack_domain::plugins::port::{Fault, FaultKind};
use encoding_rs::{CoderResult, Encoding, UTF_8};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    sync::Arc,
};
use wasmtime::component::Resource;

/// A downloaded file.
#[expect(unreachable_pub, reason = "named by generated code")]
pub struct Download {
    name: String,
    size: u64,
    file: Arc<File>,
}

const TOO_LARGE: &str = "response_too_large";

fn too_large(max: u64) -> Fault {
    Fault::new(
        FaultKind::Provider,
        TOO_LARGE,
        format!("the file has more than {max} bytes"),
    )
}

fn spool(e: &io::Error) -> Fault {
    Fault::new(
        FaultKind::Internal,
        "spool_failed",
        format!("the download can't be kept: {e}"),
    )
}

impl wit::Host for CallState {
    async fn fetch(
        &mut self,
        request: types::HttpRequest,
        cred: Credential,
        unpack: wit::Packing,
        charset: Option<String>,
        max_bytes: u64,
    ) -> Answer<Vec<Resource<Download>>> {
        enter!(self, "download");
        let gzip = match unpack {
            wit::Packing::None => false,
            wit::Packing::Gzip => true,
            wit::Packing::Zip => {
                return Ok(Err(fault(
                    FaultKind::Unsupported,
                    "unsupported_packing",
                    "zip archives are not offered yet",
                )));
            }
        };
        let encoding = match names::charset(charset.as_deref()) {
            Ok(e) => e,
            Err(f) => return Ok(Err(fault_out(f))),
        };
        let outgoing = match prepare(self, request, &cred, None)? {
            Ok(o) => o,
            Err(f) => return Ok(Err(f)),
        };
        let name = outgoing.file_name();
        let left = self.traffic.downloads_left();
        if left == 0 {
            return Ok(Err(fault_out(self.traffic.downloads_exceeded())));
        }
        if let Err(f) = self.traffic.open() {
            return Ok(Err(fault_out(f)));
        }
        let most = max_bytes.min(left);
        let time = self.time_for(0);
        let mut arrived = 0;
        let redact = self.redact.for_files();
        let mut line = Line {
            clients: &self.shared.http,
            powers: &self.inv.powers,
            redact: &self.redact,
            traffic: &mut self.traffic,
        };
        let work = async {
            let response = send_one(&mut line, &outgoing).await?;
            let packed = store(response, most, &mut arrived).await?;
            tokio::task::spawn_blocking(move || {
                let (file, size) = convert(packed, gzip, encoding, most)?;
                cleaned(file, size, redact)
            })
            .await
            .map_err(|e| Fault::new(FaultKind::Internal, "spool_failed", e.to_string()))?
        };
        let done = tokio::time::timeout(time, work).await;
        let kept = done
            .as_ref()
            .ok()
            .and_then(|d| d.as_ref().ok())
            .map_or(0, |(_, size)| *size);
        self.traffic.download(arrived, kept);
        let (file, size) = match done {
            Ok(Ok(kept)) => kept,
            // The guest would have taken more; the call may not.
            Ok(Err(f)) if f.code == TOO_LARGE && most < max_bytes => {
                return Ok(Err(fault_out(self.traffic.downloads_exceeded())));
            }
            Ok(Err(f)) => return Ok(Err(fault_out(f))),
            Err(_) => return Ok(Err(fault(FaultKind::Transport, "timeout", "the peer took too long"))),
        };
        let file = Arc::new(file);
        Ok(Ok(vec![self.table.push(Download { name, size, file })?]))
    }
}

/// The file without the secrets of the call, should the provider have put them there.
fn cleaned(file: File, size: u64, redact: Option<FileRedactor>) -> Result<(File, u64), Fault> {
    let Some(redact) = redact else {
        return Ok((file, size));
    };
    (&file).seek(SeekFrom::Start(0)).map_err(|e| spool(&e))?;
    let out = tempfile::tempfile().map_err(|e| spool(&e))?;
    redact.copy(io::BufReader::new(&file), &out).map_err(|e| spool(&e))?;
    let size = out.metadata().map_err(|e| spool(&e))?.len();
    Ok((out, size))
}

/// Writes the body of a successful answer into a temporary file.
async fn store(mut response: reqwest::Response, max: u64, received: &mut u64) -> Result<File, Fault> {
    let status = response.status();
    if !status.is_success() {
        return Err(Fault::new(
            FaultKind::Provider,
            format!("http_{}", status.as_u16()),
            "the provider did not deliver the file",
        ));
    }
    if response.content_length().is_some_and(|n| n > max) {
        return Err(too_large(max));
    }
    let mut file = tempfile::tempfile().map_err(|e| spool(&e))?;
    let mut size = 0;
    while let Some(chunk) = response.chunk().await.map_err(|e| failed(e, false))? {
        size += chunk.len() as u64;
        *received += chunk.len() as u64;
        if size > max {
            return Err(too_large(max));
        }
        file.write_all(&chunk).map_err(|e| spool(&e))?;
    }
    file.seek(SeekFrom::Start(0)).map_err(|e| spool(&e))?;
    Ok(file)
}

/// Unpacks and decodes, never writing more than `max` bytes whatever the input claims.
fn convert(packed: File, gzip: bool, encoding: &'static Encoding, max: u64) -> Result<(File, u64), Fault> {
    if !gzip && encoding == UTF_8 {
        let size = packed.metadata().map_err(|e| spool(&e))?.len();
        return Ok((packed, size));
    }
    let input: Box<dyn Read> = if gzip {
        Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(packed)))
    } else {
        Box::new(packed)
    };
    let mut out = tempfile::tempfile().map_err(|e| spool(&e))?;
    let size = decode(input, encoding, &mut out, max)?;
    Ok((out, size))
}

fn decode(mut input: Box<dyn Read>, encoding: &'static Encoding, out: &mut File, max: u64) -> Result<u64, Fault> {
    let mut decoder = (encoding != UTF_8).then(|| encoding.new_decoder());
    let (mut buf, mut text) = (vec![0u8; 32 << 10], vec![0u8; 64 << 10]);
    let mut size = 0u64;
    let mut put = |bytes: &[u8]| {
        size += bytes.len() as u64;
        if size > max {
            return Err(too_large(max));
        }
        out.write_all(bytes).map_err(|e| spool(&e))
    };
    loop {
        let n = input.read(&mut buf).map_err(|e| {
            Fault::new(
                FaultKind::Provider,
                "unpack_failed",
                format!("the file can't be unpacked: {e}"),
            )
        })?;
        let Some(decoder) = decoder.as_mut() else {
            if n == 0 {
                return Ok(size);
            }
            put(&buf[..n])?;
            continue;
        };
        let mut rest = &buf[..n];
        loop {
            let (state, used, written, _) = decoder.decode_to_utf8(rest, &mut text, n == 0);
            put(&text[..written])?;
            rest = &rest[used..];
            if state == CoderResult::InputEmpty {
                break;
            }
        }
        if n == 0 {
            return Ok(size);
        }
    }
}

impl wit::HostReader for CallState {
    async fn name(&mut self, reader: Resource<Download>) -> wasmtime::Result<String> {
        self.charge()?;
        Ok(self.table.get(&reader)?.name.clone())
    }

    async fn size(&mut self, reader: Resource<Download>) -> wasmtime::Result<u64> {
        self.charge()?;
        Ok(self.table.get(&reader)?.size)
    }

    async fn read(&mut self, reader: Resource<Download>, at: u64, len: u32) -> Answer<Vec<u8>> {
        enter!(self, "download");
        let len = (len as usize).min(self.inv.limits.transfer);
        let d = self.table.get(&reader)?;
        let len = usize::try_from(d.size.saturating_sub(at)).map_or(len, |left| left.min(len));
        let mut bytes = vec![0; len];
        Ok(d.file
            .read_exact_at(&mut bytes, at)
            .map(|()| bytes)
            .map_err(|e| fault_out(spool(&e))))
    }

    async fn digest(&mut self, reader: Resource<Download>, alg: String) -> Answer<Vec<u8>> {
        enter!(self, "download");
        let file = Arc::clone(&self.table.get(&reader)?.file);
        let done = tokio::task::spawn_blocking(move || crypto::digest_file(&alg, &file)).await;
        let done = done.unwrap_or_else(|e| Err(Fault::new(FaultKind::Internal, "spool_failed", e.to_string())));
        Ok(done.map_err(fault_out))
    }

    async fn drop(&mut self, reader: Resource<Download>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn file(bytes: &[u8]) -> File {
        let mut f = tempfile::tempfile().unwrap();
        f.write_all(bytes).unwrap();
        f.seek(SeekFrom::Start(0)).unwrap();
        f
    }
    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut e = GzEncoder::new(Vec::new(), Compression::best());
        e.write_all(bytes).unwrap();
        e.finish().unwrap()
    }
    fn text(f: &mut File) -> String {
        let mut s = String::new();
        f.seek(SeekFrom::Start(0)).unwrap();
        f.read_to_string(&mut s).unwrap();
        s
    }

    #[test]
    fn gbk_in_gzip_becomes_utf8() {
        let gbk = encoding_rs::GBK.encode("交易时间,商户订单号\r\n").0.into_owned();
        let long = gbk.repeat(5_000);
        let (mut f, size) = convert(file(&gzip(&long)), true, encoding_rs::GBK, 1 << 20).unwrap();
        assert_eq!(text(&mut f), "交易时间,商户订单号\r\n".repeat(5_000));
        assert_eq!(size, f.metadata().unwrap().len());
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_cap() {
        let bomb = gzip(&vec![0; 8 << 20]);
        assert!(bomb.len() < 16 << 10);
        let refused = convert(file(&bomb), true, UTF_8, 1 << 20).unwrap_err();
        assert_eq!(refused.code, "response_too_large");
    }

    #[test]
    fn broken_gzip_is_the_providers_fault() {
        assert_eq!(
            convert(file(b"nonsense"), true, UTF_8, 100).unwrap_err().code,
            "unpack_failed"
        );
    }
}
