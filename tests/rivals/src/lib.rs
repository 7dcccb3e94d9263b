//! What the comparison needs beside the sides: taking turns, processor time, a thin HTTP server and a client.

mod client;
mod server;
mod turns;

pub use client::Client;
pub use server::serve;
pub use turns::{Side, cpu_of, cpu_of_this_process, take_turns};
