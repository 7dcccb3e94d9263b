//! `aistack plugin sign`.

use super::{Failure, Output, refused};
use aistack_devkit::sign;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct Sign {
    /// The component
    #[arg(required_unless_present = "generate_key", conflicts_with = "generate_key")]
    file: Option<PathBuf>,
    /// The private key: Ed25519 as PKCS#8 PEM
    #[arg(long, value_name = "FILE", required_unless_present = "generate_key")]
    key: Option<PathBuf>,
    /// Put the signature into FILE.sig instead of the component
    #[arg(long)]
    detached: bool,
    /// Make a key: FILE, and FILE.pub for whoever is to trust it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "detached"])]
    generate_key: Option<PathBuf>,
}

impl Sign {
    pub(super) fn run(&self, out: &Output) -> Result<(), Failure> {
        if let Some(path) = &self.generate_key {
            let made = sign::generate(path).map_err(refused)?;
            return out.value(&made, |w| {
                writeln!(w, "key      {} (keep it to yourself)", made.key.display())?;
                writeln!(w, "public   {}", made.public.display())?;
                writeln!(w, "key id   {}", made.key_id)?;
                writeln!(
                    w,
                    "operators trust it with: aistack plugin trust add PUBLISHER --key {}",
                    made.public.display()
                )
            });
        }
        let (Some(file), Some(key)) = (&self.file, &self.key) else {
            return Err(Failure::Usage("name a component and --key FILE".to_owned()));
        };
        let signed = sign::sign(file, key, self.detached).map_err(refused)?;
        out.value(&signed, |w| {
            writeln!(w, "signed   {}", signed.payload_digest)?;
            writeln!(w, "by       {} with key {}", signed.publisher, signed.key_id)?;
            writeln!(w, "in       {}", signed.file.display())
        })
    }
}
