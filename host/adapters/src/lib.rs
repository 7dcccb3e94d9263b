//! What the domain's ports need from outside, done with the operating system alone: the clocks, randomness, sealing
//! under a root key file, and objects as plain files.

mod clock;
mod objects;
mod rng;
mod seal;

pub use clock::SystemClock;
pub use objects::FileObjects;
pub use rng::SystemRng;
pub use seal::{FileSealer, RootKeyError};
