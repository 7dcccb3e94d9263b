//! A report plugin that never finishes starting.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:report/report-generator@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Fault};
use exports::aistack::report::generator;

aistack_hostile::embed!(b"id = \"test.start\"\nversion = \"1.0.0\"\n");

struct Hostile;
aistack_hostile::idle_core!(Hostile);
export!(Hostile);

extern "C" fn forever() {
    loop {
        std::hint::black_box(());
    }
}

/// Run by the component's own initialisation, before any export is called.
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = forever;

impl generator::Guest for Hostile {
    fn run(_: Context, _: String, _: String, _: String) -> Result<String, Fault> {
        Ok("{}".into())
    }
}
