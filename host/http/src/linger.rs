//! Reading on after a refusal. A connection that is closed while the caller is still sending is reset, and the reset
//! can overtake our answer: the caller then sees a broken pipe in place of the 413. So a body that nobody wants any more
//! is read to its end, for a while and up to a size, while the answer goes out.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Bytes that are read and thrown away at the most.
const MOST: u64 = 32 << 20;
/// And for so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request's body that is read to its end even when it is dropped before.
#[derive(Debug)]
pub(crate) struct Lingering {
    inner: Option<Incoming>,
    /// The caller waits for a word before it sends anything; without one there is nothing to read.
    waits: bool,
}

impl Lingering {
    /// Around the body of a request; `waits`: it came with `Expect: 100-continue`.
    pub(crate) fn new(inner: Incoming, waits: bool) -> Self {
        Self {
            inner: Some(inner),
            waits,
        }
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Asking for the first part is what tells a waiting caller to send.
        self.waits = false;
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(inner).poll_frame(cx);
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.inner = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(rest) = self.inner.take().filter(|b| !b.is_end_stream() && !self.waits) else {
            return;
        };
        // Outside a runtime the process is ending, and the connection with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(PATIENCE, read_on(rest)));
        }
    }
}

async fn read_on(mut body: Incoming) {
    let mut left = MOST;
    while left > 0 {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(Ok(frame)) = frame else { return };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        left = left.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}
