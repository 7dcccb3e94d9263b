//! A report plugin that wants the file system and the network: the host must refuse it and say why.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "aistack:report/report-generator@1.0.0",
    generate_all,
});

use aistack::core::types::{Context, Fault};
use exports::aistack::report::generator;

aistack_hostile::embed!(b"id = \"test.files\"\nversion = \"1.0.0\"\n");

struct Hostile;
aistack_hostile::idle_core!(Hostile);
export!(Hostile);

impl generator::Guest for Hostile {
    fn run(_: Context, _: String, _: String, _: String) -> Result<String, Fault> {
        let file = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let net = std::net::TcpStream::connect("127.0.0.1:80").is_ok();
        Ok(format!("\"{} {net}\"", file.len()))
    }
}
