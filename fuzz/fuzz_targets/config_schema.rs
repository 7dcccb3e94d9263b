//! See `aistack_fuzz::config_schema`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aistack_fuzz::config_schema(data));
