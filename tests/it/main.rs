//! Integration tests of the whole platform, one binary: `cargo test -p aistack-tests --test it`.

mod peers;
