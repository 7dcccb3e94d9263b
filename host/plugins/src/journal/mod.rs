//! Recording what a call is told, and telling it again.
//!
//! Components reach the host through [`Journaled`] alone: it stands before every import and hands on to [`CallState`].
//! Usually that is all. When a call is recorded, the question and the answer are written down on the way; when a
//! recorded call is replayed, the question is compared and the answer read, and nothing is handed on.
//!
//! Log lines are neither compared nor answered: adding one is what replays are for.

mod hosts;
mod tape;
mod values;
mod wasi;
mod wire;

pub(crate) use tape::{Diverged, Stopped, Tape};
pub(crate) use wire::Wire;

use crate::{
    call::CallState,
    v1::{bindings::types, convert},
};
use aistack_domain::plugins::port::{Invocation, JournalMode};
use serde_json::Value;
use std::time::Duration;
use wasmtime::component::HasData;
use wire::Pen;

/// What stands before the imports.
#[expect(unreachable_pub, reason = "named by generated code")]
pub struct Journaled<'a>(pub(crate) &'a mut CallState);

/// Gives imports [`Journaled`].
pub(crate) struct Journaling;

impl HasData for Journaling {
    type Data<'a> = Journaled<'a>;
}

/// What to do about an import.
enum Next {
    /// Do it.
    Run,
    /// This is the answer.
    Answer(Value),
}

impl Journaled<'_> {
    /// Before an import: notes what is asked, or finds the answer. An error ends the call.
    fn before(&mut self, import: &'static str, args: impl FnOnce(&mut Pen<'_>) -> Value) -> wasmtime::Result<Next> {
        let state = &mut *self.0;
        match &mut state.tape {
            Tape::Off => Ok(Next::Run),
            Tape::Recording(recorder) => {
                recorder.asks(import, args, state.shared.clock.monotonic());
                Ok(Next::Run)
            }
            Tape::Replaying(_) if import == tape::LOG => Ok(Next::Run),
            Tape::Replaying(player) => {
                let answer = player.asks(import, args)?;
                // What the import itself would have counted.
                if !import.starts_with("wasi:") && !import.ends_with(".drop") {
                    state.charge()?;
                }
                Ok(Next::Answer(answer))
            }
        }
    }

    /// After it: notes the answer.
    fn after<T: Wire>(&mut self, answer: &wasmtime::Result<T>) {
        if let Tape::Recording(recorder) = &mut self.0.tape {
            recorder.answered(answer, self.0.shared.clock.monotonic());
        }
    }

    /// Reads an answer.
    fn read<T: Wire>(&mut self, answer: Value) -> wasmtime::Result<T> {
        T::take(answer).map_err(|e| match &mut self.0.tape {
            Tape::Replaying(player) => player.unreadable(&e),
            _ => wasmtime::Error::new(Diverged),
        })
    }
}

impl CallState {
    /// The call as its imports see it.
    pub(crate) fn journaled(&mut self) -> Journaled<'_> {
        Journaled(self)
    }

    /// The operation's arguments: as given, or as the journal has them.
    pub(crate) fn arguments<T: Wire>(&mut self, given: Option<T>) -> wasmtime::Result<T> {
        match (&mut self.tape, given) {
            (Tape::Replaying(player), _) => player.arguments(),
            (Tape::Recording(recorder), Some(mut given)) => {
                recorder.arguments(&mut given, &*self.shared.rng);
                Ok(given)
            }
            (_, Some(given)) => Ok(given),
            (_, None) => Err(wasmtime::format_err!("a call without arguments is a replay")),
        }
    }

    /// Notes what the component answered.
    pub(crate) fn answered<T: Wire>(&mut self, output: &T) {
        match &mut self.tape {
            Tape::Off => {}
            Tape::Recording(recorder) => recorder.output(output),
            Tape::Replaying(player) => player.output(output),
        }
    }
}

/// The context a component is given: of this call, or of the one that was recorded.
pub(crate) fn context(inv: &Invocation) -> types::Context {
    let recorded = match &inv.journal {
        JournalMode::Replay(journal) => types::Context::take(journal.context.clone()).ok(),
        JournalMode::Off | JournalMode::Record { .. } => None,
    };
    recorded.unwrap_or_else(|| convert::context(inv))
}

/// How long something took, in whole microseconds.
fn micros(d: Duration) -> u64 {
    u64::try_from(d.as_micros()).unwrap_or(u64::MAX)
}

/// Stands before the functions of one interface. What is not listed here does not compile: the trait asks for it.
macro_rules! journaled {
    ($(impl $trait:path as $interface:literal { $($kind:ident $name:ident ($($arg:ident: $type:ty),*) -> $out:ty;)* })*) => {
        $(impl $trait for Journaled<'_> {
            $(journaled!(@$kind $trait, $interface, $name, ($($arg: $type),*), $out);)*
        })*

        /// The imports above.
        #[cfg(test)]
        pub(super) const IMPORTS: &[&str] = &[$($(concat!($interface, ".", stringify!($name)),)*)*];
    };
    (@plain $trait:path, $interface:literal, $name:ident, ($($arg:ident: $type:ty),*), $out:ty) => {
        fn $name(&mut self, $($arg: $type),*) -> wasmtime::Result<$out> {
            match journaled!(@before self, $interface, $name, ($($arg),*)) {
                Next::Answer(answer) => self.read(answer),
                Next::Run => {
                    let done = <CallState as $trait>::$name(self.0, $($arg),*);
                    self.after(&done);
                    done
                }
            }
        }
    };
    (@waits $trait:path, $interface:literal, $name:ident, ($($arg:ident: $type:ty),*), $out:ty) => {
        async fn $name(&mut self, $($arg: $type),*) -> wasmtime::Result<$out> {
            match journaled!(@before self, $interface, $name, ($($arg),*)) {
                Next::Answer(answer) => self.read(answer),
                Next::Run => {
                    let done = <CallState as $trait>::$name(self.0, $($arg),*).await;
                    self.after(&done);
                    done
                }
            }
        }
    };
    (@before $self:ident, $interface:literal, $name:ident, ($($arg:ident),*)) => {
        $self.before(concat!($interface, ".", stringify!($name)), |_pen| {
            let args: [(&str, serde_json::Value); _] = [$((stringify!($arg), Wire::put(&$arg, _pen))),*];
            args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        })?
    };
}
use journaled;
