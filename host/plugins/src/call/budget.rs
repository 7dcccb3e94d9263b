//! What a call may move over the network, and how often it may hold a connection. A budget that is used up is a fault to
//! the guest, which can still end in order; the call counts as one that ran into a bound.

use aistack_core::TenantId;
use aistack_domain::plugins::port::{CallLimits, Fault, FaultKind, HostServices, TENANT_EGRESS, Use};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Most headers of one HTTP message.
pub(crate) const MAX_HEADERS: usize = 64;
/// Most open sockets of a tenant, over all its calls.
const TENANT_SOCKETS: u32 = 64;
/// Most open sockets of a tenant to one endpoint.
const TARGET_SOCKETS: u32 = 8;

/// The traffic of one call against its budgets, and against its tenant's.
pub(crate) struct Traffic {
    /// Bytes sent.
    pub(crate) sent: u64,
    /// Bytes received, downloads included.
    pub(crate) received: u64,
    egress: u64,
    downloads: u64,
    headers: usize,
    bill: Option<Arc<dyn HostServices>>,
    /// The budget that was used up last.
    pub(crate) exceeded: Option<&'static str>,
}

impl Traffic {
    pub(crate) fn new(limits: &CallLimits) -> Self {
        Self {
            sent: 0,
            received: 0,
            egress: limits.egress,
            downloads: limits.downloads,
            headers: limits.headers,
            bill: None,
            exceeded: None,
        }
    }

    /// Charges the tenant too.
    pub(crate) fn billed_to(self, services: Arc<dyn HostServices>) -> Self {
        Self {
            bill: Some(services),
            ..self
        }
    }

    /// Charges the tenant; a fault when it had used up what it may.
    fn charge(&mut self, bytes: u64) -> Result<(), Fault> {
        let Some(bill) = &self.bill else { return Ok(()) };
        let charged = bill.charge(Use::Egress(bytes));
        if charged.is_err() {
            self.exceeded = Some(TENANT_EGRESS);
        }
        charged
    }

    /// Asks whether the tenant may move anything at all.
    pub(crate) fn open(&mut self) -> Result<(), Fault> {
        self.charge(0)
    }

    fn over(&mut self, kind: FaultKind, code: &'static str, message: &str) -> Fault {
        self.exceeded = Some(code);
        Fault::new(kind, code, message)
    }

    /// A fault that the call has moved all it may.
    pub(crate) fn egress_exceeded(&mut self) -> Fault {
        self.over(
            FaultKind::Denied,
            "egress_exceeded",
            "this call has sent and received all it may",
        )
    }

    /// Asks to send so many bytes; they count from now on.
    pub(crate) fn send(&mut self, bytes: u64) -> Result<(), Fault> {
        if bytes > self.egress {
            return Err(self.egress_exceeded());
        }
        self.charge(bytes)?;
        self.egress -= bytes;
        self.sent += bytes;
        Ok(())
    }

    /// Bytes that may still be moved.
    pub(crate) fn left(&self) -> u64 {
        self.egress
    }

    /// Counts bytes that have arrived.
    pub(crate) fn receive(&mut self, bytes: u64) -> Result<(), Fault> {
        self.received += bytes;
        self.charge(bytes)?;
        if bytes > self.egress {
            self.egress = 0;
            return Err(self.egress_exceeded());
        }
        self.egress -= bytes;
        Ok(())
    }

    /// Bytes that may still be downloaded.
    pub(crate) fn downloads_left(&self) -> u64 {
        self.downloads
    }

    /// A fault that the call has downloaded all it may.
    pub(crate) fn downloads_exceeded(&mut self) -> Fault {
        self.over(
            FaultKind::Denied,
            "downloads_exceeded",
            "this call has downloaded all it may",
        )
    }

    /// Counts a download: what arrived, and what it was unpacked to.
    pub(crate) fn download(&mut self, arrived: u64, kept: u64) {
        self.received += arrived;
        // What is here is here; the next one is refused.
        let _ = self.charge(arrived);
        self.downloads = self.downloads.saturating_sub(arrived.max(kept));
    }

    /// Checks the headers of a message; `kind` is whose fault they are. Returns their size.
    pub(crate) fn headers<'a>(
        &mut self,
        kind: FaultKind,
        all: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<u64, Fault> {
        let (mut count, mut bytes) = (0, 0usize);
        for (name, value) in all {
            count += 1;
            bytes = bytes.saturating_add(name.len() + value.len() + 4);
        }
        if count > MAX_HEADERS || bytes > self.headers {
            let most = format!(
                "at most {MAX_HEADERS} headers of {} bytes together are passed",
                self.headers
            );
            return Err(self.over(kind, "headers_exceeded", &most));
        }
        Ok(bytes as u64)
    }
}

type Open = HashMap<TenantId, HashMap<String, u32>>;

/// The open sockets of all tenants.
#[derive(Debug, Default)]
pub(crate) struct Sockets(Mutex<Open>);

/// One open socket; counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    all: Arc<Sockets>,
    tenant: TenantId,
    target: String,
}

impl Sockets {
    /// Counts a socket, unless the tenant has as many as it may. Never waits: a guest could wait for itself.
    pub(crate) fn open(self: &Arc<Self>, tenant: TenantId, target: &str) -> Option<Socket> {
        let mut all = self.lock();
        let of_tenant = all.entry(tenant).or_default();
        let sum: u32 = of_tenant.values().sum();
        if sum >= TENANT_SOCKETS || of_tenant.get(target).is_some_and(|n| *n >= TARGET_SOCKETS) {
            return None;
        }
        *of_tenant.entry(target.to_owned()).or_default() += 1;
        Some(Socket {
            all: Arc::clone(self),
            tenant,
            target: target.to_owned(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        let Some(of_tenant) = all.get_mut(&self.tenant) else {
            return;
        };
        if let Some(n) = of_tenant.get_mut(&self.target) {
            *n -= 1;
            if *n == 0 {
                of_tenant.remove(&self.target);
            }
        }
        if of_tenant.is_empty() {
            all.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(egress: u64) -> Traffic {
        Traffic::new(&CallLimits {
            egress,
            headers: 100,
            ..CallLimits::default()
        })
    }

    #[test]
    fn both_directions_share_the_budget() {
        let mut t = traffic(100);
        t.send(60).unwrap();
        t.receive(40).unwrap();
        assert_eq!((t.left(), t.exceeded), (0, None));
        assert_eq!(t.send(1).unwrap_err().code, "egress_exceeded");
        assert_eq!((t.sent, t.received, t.exceeded), (60, 40, Some("egress_exceeded")));
        assert_eq!(t.receive(1).unwrap_err().code, "egress_exceeded");
        assert_eq!(t.received, 41, "what came is counted all the same");
    }

    #[test]
    fn headers_have_a_count_and_a_size() {
        let mut t = traffic(1);
        assert_eq!(
            t.headers(FaultKind::Provider, [("a", &b"b"[..])].into_iter()).unwrap(),
            6
        );
        assert!(
            t.headers(FaultKind::Provider, vec![("a", &b"b"[..]); 65].into_iter())
                .is_err()
        );
        assert!(
            t.headers(FaultKind::Provider, [("a", &[b'b'; 96][..])].into_iter())
                .is_err()
        );
    }

    #[test]
    fn sockets_are_counted_by_tenant_and_endpoint() {
        let all = Arc::new(Sockets::default());
        let (one, two) = (TenantId(uuid::Uuid::from_u128(1)), TenantId(uuid::Uuid::from_u128(2)));
        let mut held: Vec<Socket> = (0..TARGET_SOCKETS).map(|_| all.open(one, "a:1").unwrap()).collect();
        assert!(all.open(one, "a:1").is_none());
        assert!(all.open(two, "a:1").is_some());
        for n in 1..8 {
            held.extend((0..TARGET_SOCKETS).map(|_| all.open(one, &format!("b:{n}")).unwrap()));
        }
        assert!(all.open(one, "c:1").is_none(), "64 in all");
        drop(held);
        assert!(all.open(one, "a:1").is_some());
        assert!(all.lock().is_empty(), "nothing is kept of those that are gone");
    }
}
