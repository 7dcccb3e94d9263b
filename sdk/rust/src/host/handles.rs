//! Things the host keeps and a plugin holds by handle. Inside a component they are the contract's resources; outside
//! they belong to the test double.

use crate::Fault;
#[cfg(target_family = "wasm")]
use aistack_bindings_core::{host, report};

/// Picks the resource inside a component and the double's object outside.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident = $resource:ty | $double:ty) => {
        $(#[$doc])*
        pub struct $name(
            #[cfg(target_family = "wasm")] pub(crate) $resource,
            #[cfg(not(target_family = "wasm"))] pub(crate) $double,
        );

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

handle! {
    /// A version of a secret. The bytes stay with the host.
    Secret = host::secrets::Secret | super::SecretRef
}
handle! {
    /// A file being written; dropping it without [`File::finish`] discards it.
    File = host::blob::Sink | Box<dyn super::FileDouble>
}
handle! {
    /// An open dataset.
    Rows = report::datasets::Rows | Box<dyn super::RowsDouble>
}
handle! {
    /// A downloaded file.
    Download = host::download::Reader | Box<dyn super::DownloadDouble>
}
handle! {
    /// A byte stream; dropping it closes it.
    Connection = host::dial::Conn | Box<dyn super::ConnectionDouble>
}

/// A secret that the host puts into a request, after all checks and only for hosts the secret is bound to.
#[derive(Debug, Clone, Copy)]
pub enum Credential<'a> {
    /// None.
    None,
    /// `Authorization: Bearer <secret>`.
    Bearer(&'a Secret),
    /// `Authorization: Basic base64(<user>:<secret>)`.
    Basic(&'a str, &'a Secret),
    /// This header.
    Header(&'a str, &'a Secret),
    /// This query parameter.
    Query(&'a str, &'a Secret),
    /// This field of an `application/x-www-form-urlencoded` body.
    Form(&'a str, &'a Secret),
    /// A TLS client certificate.
    ClientCert(&'a Secret),
}

impl File {
    /// Appends.
    ///
    /// # Errors
    /// The host's, for example when the file grows over its bound.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.0.write(bytes)
    }

    /// Makes the file durable; returns the name it is listed under.
    ///
    /// # Errors
    /// The host's.
    pub fn finish(self) -> Result<String, Fault> {
        self.0.finish()
    }
}

impl Rows {
    /// The columns, in the order of the cells.
    #[must_use]
    pub fn columns(&self) -> Vec<super::Column> {
        self.0.columns()
    }

    /// Up to `max` rows; empty at the end.
    ///
    /// # Errors
    /// The host's.
    pub fn next(&mut self, max: u32) -> Result<Vec<Vec<super::Cell>>, Fault> {
        self.0.next(max)
    }
}

impl Download {
    /// The archive member's name, or the last segment of the URL.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Size in bytes, unpacked.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.size()
    }

    /// Up to `len` bytes from `at`; empty beyond the end.
    ///
    /// # Errors
    /// The host's.
    pub fn read(&self, at: u64, len: u32) -> Result<Vec<u8>, Fault> {
        self.0.read(at, len)
    }

    /// Digest of the whole file, unpacked.
    ///
    /// # Errors
    /// `unsupported` for an unknown algorithm.
    pub fn digest(&self, alg: &str) -> Result<Vec<u8>, Fault> {
        self.0.digest(alg)
    }
}

impl Connection {
    /// Up to `max` bytes as soon as some are there; empty at the end of the stream.
    ///
    /// # Errors
    /// `transport`.
    pub fn read(&mut self, max: u32) -> Result<Vec<u8>, Fault> {
        self.0.read(max)
    }

    /// Writes all the bytes.
    ///
    /// # Errors
    /// `transport`; `denied` when too much would be sent before `start_tls`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.0.write(bytes)
    }

    /// Writes `before`, the secret and `after` as one message, without the secret ever entering the plugin.
    ///
    /// # Errors
    /// `denied` with code `not_protected` on a connection without TLS.
    pub fn write_secret(&mut self, before: &[u8], secret: &Secret, after: &[u8]) -> Result<(), Fault> {
        self.0.write_secret(before, &secret.0, after)
    }

    /// Switches a `starttls` connection to TLS.
    ///
    /// # Errors
    /// `transport` when the peer's certificate is not accepted or it spoke too early.
    pub fn start_tls(&mut self) -> Result<(), Fault> {
        self.0.start_tls()
    }
}

#[cfg(not(target_family = "wasm"))]
impl Secret {
    /// What a double opened.
    #[must_use]
    pub fn reference(&self) -> &super::SecretRef {
        &self.0
    }
}
