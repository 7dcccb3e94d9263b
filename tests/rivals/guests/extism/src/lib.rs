//! The work as an Extism plugin: the payload is its input, config, key and MAC are the host's.

use extism_pdk::*;

#[path = "../../../../hostile/common/src/work.rs"]
mod work;

#[host_fn]
extern "ExtismHost" {
    fn config_get() -> String;
    fn secret_open(name: String) -> u64;
    fn mac(key: u64, data: Vec<u8>) -> Vec<u8>;
}

/// Makes a payment's address.
#[plugin_fn]
pub fn create(payload: String) -> FnResult<String> {
    // SAFETY: imports of the host; the PDK copies what crosses.
    let config = unsafe { config_get()? };
    Ok(work::create_payment(&config, &payload, |body| {
        // SAFETY: as above.
        unsafe {
            let key = secret_open("key".to_owned())?;
            mac(key, body.to_vec())
        }
    })?)
}
