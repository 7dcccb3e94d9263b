//! A report plugin whose memory management spins: while the host hands over an argument of a certain size, or while it
//! gives back a result of a certain size.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:report/report-generator@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Fault};
use exports::aistack::report::generator;
use std::alloc::{GlobalAlloc, Layout, System};

aistack_hostile::embed!(b"id = \"test.alloc\"\nversion = \"1.0.0\"\n");

struct Hostile;
aistack_hostile::idle_core!(Hostile);
export!(Hostile);

/// Size of the argument that is never taken.
const NEVER_TAKEN: usize = 4_243;
/// Size of the result that is never freed.
const NEVER_FREED: usize = 4_247;

struct Spinning;

// SAFETY: everything is left to the system's allocator, or never returns.
unsafe impl GlobalAlloc for Spinning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        while layout.size() == NEVER_TAKEN {
            std::hint::black_box(());
        }
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        while layout.size() == NEVER_FREED {
            std::hint::black_box(());
        }
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Spinning = Spinning;

impl generator::Guest for Hostile {
    fn run(_: Context, report: String, _: String, _: String) -> Result<String, Fault> {
        Ok(match report.as_str() {
            "never-freed" => format!("\"{}\"", "x".repeat(NEVER_FREED - 2)),
            _ => "{}".into(),
        })
    }
}
