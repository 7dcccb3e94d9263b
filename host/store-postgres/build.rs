//! Makes a new migration file rebuild the crate: `migrate!` embeds the folder but can't watch it.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations/postgres");
}
