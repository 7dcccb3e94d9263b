//! Bodies on their way through. Frames pass one by one as they come and only as fast as the other side takes them.

use crate::{client::BoxError, fair::Turn};
use aistack_domain::{App, Problem};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

type Boxed = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// A caller's body. Clones share it, so that a request that never left can be made again.
#[derive(Clone)]
pub(crate) struct RequestBody {
    inner: Arc<Mutex<Boxed>>,
    progress: Arc<Progress>,
}

/// What the caller's body has done so far.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    last: AtomicU64,
    touched: AtomicBool,
}

impl Progress {
    fn note(&self) {
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(micros, Ordering::Relaxed);
    }
    /// When a part of the body was last passed on.
    pub(crate) fn last(&self) -> Instant {
        self.start + Duration::from_micros(self.last.load(Ordering::Relaxed))
    }
    /// Whether any of the body has left.
    pub(crate) fn touched(&self) -> bool {
        self.touched.load(Ordering::Relaxed)
    }
}

impl RequestBody {
    pub(crate) fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self {
            inner: Arc::new(Mutex::new(Box::pin(http_body_util::BodyExt::map_err(body, Into::into)))),
            progress: Arc::new(Progress {
                start: Instant::now(),
                last: AtomicU64::new(0),
                touched: AtomicBool::new(false),
            }),
        }
    }
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
    fn with<T>(&self, f: impl FnOnce(&mut Boxed) -> T) -> T {
        f(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.with(|body| body.as_mut().poll_frame(cx));
        if let Poll::Ready(frame) = &polled {
            self.progress.note();
            if frame.is_some() {
                self.progress.touched.store(true, Ordering::Relaxed);
            }
        }
        polled
    }
    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }
    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}

/// What is settled when an answer's body is over.
pub(crate) struct After {
    pub(crate) app: Arc<App>,
    pub(crate) route: String,
    pub(crate) status: u16,
    pub(crate) began: Duration,
    /// The tenant's place in the queue, given back with the rest.
    pub(crate) _turn: Turn,
}

impl Drop for After {
    fn drop(&mut self) {
        let took = self.app.clock.monotonic().saturating_sub(self.began);
        self.app.metrics.gateway_call(&self.route, self.status, took);
    }
}

/// An answer's body that ends only after the commit that counts its call.
///
/// A body of known length ends with its last byte, so its last frame is held back; one of unknown length ends with its
/// end mark, so every frame of it passes at once (events keep flowing) and the mark waits.
pub struct ProxyBody {
    inner: Option<Incoming>,
    /// Bytes still to come, when known.
    left: Option<u64>,
    held: Option<Frame<Bytes>>,
    recorded: Option<JoinHandle<Result<(), Problem>>>,
    after: Option<After>,
}

impl ProxyBody {
    /// No body at all.
    pub(crate) fn empty() -> Self {
        Self {
            inner: None,
            left: None,
            held: None,
            recorded: None,
            after: None,
        }
    }
    /// An upstream's body; it ends after `recorded`.
    pub(crate) fn new(inner: Incoming, recorded: Option<JoinHandle<Result<(), Problem>>>, after: After) -> Self {
        Self {
            left: inner.size_hint().exact(),
            inner: Some(inner),
            held: None,
            recorded,
            after: Some(after),
        }
    }

    /// Ready once the call is recorded.
    fn poll_recorded(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let Some(handle) = &mut self.recorded else {
            return Poll::Ready(Ok(()));
        };
        let outcome = ready!(Pin::new(handle).poll(cx));
        self.recorded = None;
        Poll::Ready(match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(problem)) => Err(problem.into()),
            Err(e) => Err(e.into()),
        })
    }
}

impl Body for ProxyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.held.is_none()
            && let Some(inner) = &mut self.inner
        {
            match ready!(Pin::new(inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let size = frame.data_ref().map_or(0, |d| d.len() as u64);
                    let last = match &mut self.left {
                        Some(left) => {
                            *left = left.saturating_sub(size);
                            *left == 0
                        }
                        None => false,
                    };
                    if !last {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    self.held = Some(frame);
                }
                // The upstream broke off: so do we, and nobody waits for the commit.
                Some(Err(e)) => {
                    self.inner = None;
                    self.after = None;
                    return Poll::Ready(Some(Err(e.into())));
                }
                None => self.inner = None,
            }
        }
        if let Err(e) = ready!(self.poll_recorded(cx)) {
            self.inner = None;
            self.held = None;
            self.after = None;
            return Poll::Ready(Some(Err(e)));
        }
        let held = self.held.take();
        if held.is_none() {
            self.after = None;
        }
        Poll::Ready(held.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.recorded.is_none() && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let held = self
            .held
            .as_ref()
            .and_then(|f| f.data_ref())
            .map_or(0, |d| d.len() as u64);
        match (&self.inner, self.left) {
            (None, _) => SizeHint::with_exact(held),
            (Some(_), Some(left)) => SizeHint::with_exact(left + held),
            (Some(inner), None) => inner.size_hint(),
        }
    }
}

impl core::fmt::Debug for ProxyBody {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ProxyBody")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
