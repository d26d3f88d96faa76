//! One writer at a time.
//!
//! Duty: an advisory lock that the kernel frees when its holder dies. Not its duty: waiting.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use super::StoreError;
use super::layout::Layout;
use crate::domain::Instant;
use crate::edges::files::{self, FileError};

/// The lock, held until dropped.
#[derive(Debug)]
pub struct WriterLock {
    file: File,
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        // at rest the file is empty, so that a run with nothing to do leaves no trace; the lock itself goes with the file
        let _ = self.file.set_len(0);
    }
}

impl WriterLock {
    /// Takes the lock, or says at once who holds it. `now` is written down for whoever comes second.
    pub fn take(layout: &Layout, now: Instant) -> Result<WriterLock, StoreError> {
        files::create_private_dir_all(&layout.landing())?;
        let path = layout.lock();
        let error = |action| {
            let path = path.clone();
            move |source| StoreError::File(FileError { action, path, source })
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(error("open the lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(StoreError::Locked(holder.trim().to_owned()));
            }
            Err(TryLockError::Error(source)) => return Err(error("lock")(source)),
        }
        file.set_len(0).map_err(error("write the lock"))?;
        file.rewind().map_err(error("write the lock"))?;
        writeln!(file, "process {} since {now}", std::process::id()).map_err(error("write the lock"))?;
        Ok(WriterLock { file })
    }
}
