//! A client that does next to nothing: one kept connection, the request ready as bytes, the answer's length from its head.

use anyhow::{Context, Result, bail};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// One connection.
pub struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    /// Connects; each call will post this body.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn new(to: SocketAddr, body: &str) -> Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {to}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(Self {
            stream,
            request: [head.as_bytes(), body.as_bytes()].concat(),
            answer: Vec::new(),
        })
    }

    /// Posts and waits for the whole answer; its body.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not a 200 with a length.
    pub fn call(&mut self) -> Result<String> {
        self.stream.write_all(&self.request)?;
        self.answer.clear();
        let mut buf = [0; 4096];
        loop {
            let n = self.stream.read(&mut buf)?;
            if n == 0 {
                bail!("the connection was closed");
            }
            self.answer.extend_from_slice(&buf[..n]);
            let Some(end) = self.answer.windows(4).position(|w| w == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.answer[..end])?.to_ascii_lowercase();
            if !head.starts_with("http/1.1 200") {
                bail!("{head}");
            }
            let length: usize = head
                .lines()
                .find_map(|l| l.strip_prefix("content-length: "))
                .context("the answer has a length")?
                .parse()?;
            if self.answer.len() >= end + 4 + length {
                return Ok(String::from_utf8(self.answer[end + 4..].to_vec())?);
            }
        }
    }
}
