//! Compiled components: made once, in a limited process, and kept on disk in an authenticated form.

mod compile;
mod disk;

pub(crate) use compile::Compiler;
pub use compile::compile_child_main;
pub(crate) use disk::CodeStore;
