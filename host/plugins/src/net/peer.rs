//! An answerer in place of the network, for plugin authors' tests. Everything the host does with a request is done as
//! always (grants, hosts, credentials, budgets); only the connection is not made.

use std::fmt;

/// A request as it would have gone out, credentials included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRequest {
    /// Upper-case method.
    pub method: String,
    /// The URL, with what was injected into its query.
    pub url: String,
    /// Headers in order, names lower-case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a peer answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerResponse {
    /// Status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// How an exchange fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFailure {
    /// There is no connection: nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection ended after the request had left: nobody knows what it did.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// Answers a guest's requests.
pub trait HttpPeer: Send + Sync + fmt::Debug {
    /// The answer, or how the exchange fails.
    ///
    /// # Errors
    /// See [`PeerFailure`]; guests see it as a fault of kind `transport`.
    fn answer(&self, request: PeerRequest) -> Result<PeerResponse, PeerFailure>;
}
