//! See `aistack_fuzz::component_bytes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aistack_fuzz::component_bytes(data));
