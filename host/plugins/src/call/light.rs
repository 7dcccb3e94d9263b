//! Where a call runs. Most calls need a fraction of a millisecond, so a call starts right in the task that asks for it.
//! A guest that needs two milliseconds of a processor is moved to threads of lower priority, where such guests share what
//! nobody else wants; its next calls start there. So a guest that spins costs others two milliseconds, once.
//!
//! Timers, sockets and the HTTP client's connections belong to a runtime of their own throughout, whose threads never
//! run a guest for long. A call whose caller goes away is finished there: a payment must not be dropped half-way because
//! a browser did.

use super::{breaker::Key, watch::Watch};
use std::{
    collections::HashMap,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

/// How long an operation of an installation starts among the heavy ones after one of its calls was.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Entries beyond this are swept of those that are over.
const SWEEP_AT: usize = 4096;
/// How much less the system gives the threads of heavy guests.
const NICE: i32 = 10;

/// A call on its way.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The runtimes behind calls.
#[derive(Debug)]
pub(crate) struct Lanes {
    io: Runtime,
    heavy: Runtime,
}

/// What a call needs of [`Lanes`].
#[derive(Debug, Clone)]
struct Handles {
    io: Handle,
    heavy: Handle,
}

impl Lanes {
    /// `threads` for heavy guests.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        Ok(Self {
            io: Builder::new_multi_thread()
                .worker_threads(threads.clamp(1, 2))
                .thread_name("plugin-io")
                .enable_all()
                .build()?,
            heavy: Builder::new_multi_thread()
                .worker_threads(threads)
                .thread_name("plugin-heavy")
                .on_thread_start(|| {
                    // Of this thread alone, on Linux. Where it is not permitted the threads compete as equals.
                    let _ = rustix::process::setpriority_process(None, NICE);
                })
                .build()?,
        })
    }

    /// Runs what is no guest: admitting, compiling.
    pub(crate) async fn background<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, String> {
        self.io.spawn(work).await.map_err(|e| e.to_string())
    }

    /// A call that starts here, or among the heavy ones when it is known to be one.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        watch: Arc<Watch>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Light<T> {
        Light {
            work: Some(Box::pin(work)),
            moved: None,
            watch,
            lanes: Handles {
                io: self.io.handle().clone(),
                heavy: self.heavy.handle().clone(),
            },
            started: false,
        }
    }

    /// Stops without waiting for guests.
    pub(crate) fn stop(self) {
        self.heavy.shutdown_background();
        self.io.shutdown_background();
    }
}

/// A call, wherever it runs. Dropped before its end, it goes on without the caller.
pub(crate) struct Light<T: Send + 'static> {
    work: Option<Work<T>>,
    moved: Option<JoinHandle<T>>,
    watch: Arc<Watch>,
    lanes: Handles,
    started: bool,
}

/// Polls within the context of the runtime that timers and sockets belong to.
struct Within<T> {
    io: Handle,
    work: Work<T>,
}

impl<T> Future for Within<T> {
    type Output = T;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = &mut *self;
        let _context = this.io.enter();
        this.work.as_mut().poll(cx)
    }
}

impl<T: Send + 'static> Future for Light<T> {
    type Output = Result<T, String>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.watch.is_heavy()
            && let Some(work) = this.work.take()
        {
            let io = this.lanes.io.clone();
            this.moved = Some(this.lanes.heavy.spawn(Within { io, work }));
        }
        if let Some(moved) = &mut this.moved {
            return Pin::new(moved).poll(cx).map_err(|e| e.to_string());
        }
        let Some(work) = this.work.as_mut() else {
            return Poll::Ready(Err("the call has ended".to_owned()));
        };
        this.started = true;
        let polled = {
            let _context = this.lanes.io.enter();
            // A defect of the host must not take the caller's task with it; the call is dropped whole.
            catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)))
        };
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => {
                this.work = None;
                Poll::Ready(Ok(done))
            }
            Err(_) => {
                this.work = None;
                Poll::Ready(Err("the host failed within the call".to_owned()))
            }
        }
    }
}

impl<T: Send + 'static> Drop for Light<T> {
    fn drop(&mut self) {
        if self.started
            && let Some(work) = self.work.take()
        {
            self.lanes.io.spawn(Self {
                work: Some(work),
                moved: None,
                watch: Arc::clone(&self.watch),
                lanes: self.lanes.clone(),
                started: false,
            });
        }
    }
}

/// Which operations of which installations were heavy lately.
#[derive(Debug, Default)]
pub(crate) struct Heavies(Mutex<HashMap<Key, Duration>>);

impl Heavies {
    /// Whether the next call starts among the heavy ones.
    pub(crate) fn knows(&self, key: &Key, now: Duration) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|until| now < *until)
    }

    /// Notes that a call was heavy.
    pub(crate) fn note(&self, key: Key, now: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > SWEEP_AT {
            all.retain(|_, until| now < *until);
        }
        all.insert(key, now + REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn thread() -> String {
        std::thread::current().name().unwrap_or_default().to_owned()
    }

    /// Yields so often, noting where it is; it becomes heavy in the middle.
    async fn travel(watch: Arc<Watch>) -> Vec<String> {
        let mut seen = Vec::new();
        for i in 0..4 {
            seen.push(thread());
            if i == 1 {
                watch.mark_heavy();
            }
            tokio::task::yield_now().await;
        }
        seen
    }

    #[test]
    fn a_heavy_call_is_moved_once_and_its_result_comes_back() {
        let lanes = Lanes::new(1).unwrap();
        let caller = Builder::new_current_thread().build().unwrap();
        let watch = Arc::new(Watch::new(false));
        let seen = caller.block_on(lanes.call(Arc::clone(&watch), travel(watch))).unwrap();
        let here = thread();
        assert_eq!(seen, [here.as_str(), here.as_str(), "plugin-heavy", "plugin-heavy"]);
        let known = Arc::new(Watch::new(true));
        let seen = caller.block_on(lanes.call(Arc::clone(&known), travel(known))).unwrap();
        assert!(seen.iter().all(|t| t == "plugin-heavy"), "{seen:?}");
        lanes.stop();
    }

    #[test]
    fn timers_work_though_the_caller_has_none_and_a_panic_is_an_error() {
        let lanes = Lanes::new(1).unwrap();
        let caller = Builder::new_current_thread().build().unwrap();
        let nap = || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            7
        };
        for heavy in [false, true] {
            let watch = Arc::new(Watch::new(heavy));
            assert_eq!(caller.block_on(lanes.call(watch, nap())), Ok(7));
        }
        let broken = lanes.call(Arc::default(), async { panic!("on purpose") });
        let failed: Result<(), String> = caller.block_on(broken);
        assert!(failed.is_err());
        lanes.stop();
    }

    #[test]
    fn a_call_goes_on_when_its_caller_is_gone() {
        let lanes = Lanes::new(1).unwrap();
        let caller = Builder::new_current_thread().enable_time().build().unwrap();
        let done = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&done);
        let work = async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            count.fetch_add(1, Ordering::SeqCst);
        };
        let given_up = caller
            .block_on(async { tokio::time::timeout(Duration::from_millis(5), lanes.call(Arc::default(), work)).await });
        assert!(given_up.is_err());
        for _ in 0..200 {
            if done.load(Ordering::SeqCst) == 1 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(done.load(Ordering::SeqCst), 1);
        lanes.stop();
    }

    #[test]
    fn heavy_operations_are_remembered_for_a_while() {
        let all = Heavies::default();
        let key: Key = (
            aistack_core::TenantId(uuid::Uuid::from_u128(1)),
            aistack_core::InstallationId(uuid::Uuid::from_u128(2)),
            "login.begin",
        );
        let at = Duration::from_secs;
        assert!(!all.knows(&key, at(0)));
        all.note(key, at(5));
        assert!(all.knows(&key, at(14)) && !all.knows(&key, at(15)));
        assert!(!all.knows(&(key.0, key.1, "login.resume"), at(6)));
    }
}
