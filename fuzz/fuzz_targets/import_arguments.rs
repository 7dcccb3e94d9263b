//! See `aistack_fuzz::import_arguments`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aistack_fuzz::import_arguments(data));
