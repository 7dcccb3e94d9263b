//! The few file-system steps whose order decides what a crash leaves behind. In tests they are recorded and can be made
//! to fail, one after the other.

use std::{fs::File, io, path::Path};

/// The file system.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    #[cfg(test)]
    pub(super) script: std::sync::Arc<std::sync::Mutex<Script>>,
}

/// What a test wants to see and to break.
#[cfg(test)]
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) done: Vec<&'static str>,
    pub(super) fail_at: Option<usize>,
}

impl Disk {
    #[cfg(test)]
    fn step(&self, name: &'static str) -> io::Result<()> {
        let mut script = self.script.lock().unwrap();
        if script.fail_at == Some(script.done.len()) {
            return Err(io::Error::other("the disk failed"));
        }
        script.done.push(name);
        Ok(())
    }
    #[cfg(not(test))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "tests record and fail here"
    )]
    fn step(&self, _: &'static str) -> io::Result<()> {
        Ok(())
    }

    /// Bytes of the file are on the disk.
    pub(super) fn sync_file(&self, file: &File) -> io::Result<()> {
        self.step("sync file")?;
        file.sync_all()
    }
    /// Every folder from the root down exists, and they survive a crash.
    pub(super) fn make_folders(&self, root: &Path, folder: &Path) -> io::Result<()> {
        let Ok(below) = folder.strip_prefix(root) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "outside the object store"));
        };
        let mut at = root.to_owned();
        for part in below.components() {
            let parent = at.clone();
            at.push(part);
            self.step("make folder")?;
            match std::fs::create_dir(&at) {
                // One that exists may have been made by another writer a moment ago and not be durable yet.
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
                _ => self.sync_folder(&parent)?,
            }
        }
        Ok(())
    }
    /// The draft becomes the object.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename")?;
        std::fs::rename(from, to)
    }
    /// Names in the folder are on the disk.
    pub(super) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step("sync folder")?;
        File::open(folder)?.sync_all()
    }
    /// A folder and everything in it goes away, and stays away; how many objects that were. Links are removed, not followed.
    pub(super) fn remove_all(&self, folder: &Path) -> io::Result<u64> {
        let mut objects = 0;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                objects += self.remove_all(&entry.path())?;
            } else {
                self.step("remove")?;
                std::fs::remove_file(entry.path())?;
                objects += 1;
            }
        }
        self.step("remove folder")?;
        std::fs::remove_dir(folder)?;
        folder.parent().map_or(Ok(()), |parent| self.sync_folder(parent))?;
        Ok(objects)
    }
    /// The object goes away, and stays away.
    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step("remove")?;
        std::fs::remove_file(path)?;
        path.parent().map_or(Ok(()), |folder| self.sync_folder(folder))
    }
}
