//! A folder for work that leaves nothing behind.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::files::{self, FileError};

/// A folder of its own among the system's temporary ones, only for its owner; removed with all that is in it.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder below `base`, or below the system's temporary folder.
    pub fn new(base: Option<&Path>) -> Result<Scratch, FileError> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let base = base.map_or_else(std::env::temp_dir, Path::to_owned);
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("starledger-{}-{number}", std::process::id()));
            // one that is there is another program's
            if !files::exists(&path) {
                files::create_private_dir_all(&path)?;
                return Ok(Scratch(path));
            }
        }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what cannot be removed lies where the system removes it
        let _ = files::remove_tree_if_there(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind() {
        let (a, b) = (Scratch::new(None).unwrap(), Scratch::new(None).unwrap());
        assert_ne!(a.path(), b.path());
        let path = a.path().to_owned();
        files::write_new(&path.join("x"), b"x").unwrap();
        drop(a);
        assert!(!path.exists() && b.path().exists());
    }
}
