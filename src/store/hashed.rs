//! A new file that is hashed while it is written.
//!
//! Duty: one pass over the bytes for disk and hash; what is sealed is flushed and read-only, what is not is gone when
//! it is dropped. Not its duty: names of files that stay.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::domain::Digest;
use crate::domain::hash::Hasher;
use crate::edges::files::{self, FileError};

/// Bytes on their way to the disk.
const BUFFER: usize = 1 << 16;

/// A file being written under a name that does not stay.
#[derive(Debug)]
pub(super) struct HashedFile {
    inner: BufWriter<Counted>,
    path: PathBuf,
    sealed: bool,
}

struct Counted {
    file: File,
    hasher: Hasher,
    bytes: u64,
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes)
    }
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(buffer)?;
        self.hasher.raw(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Write for HashedFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.inner.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl HashedFile {
    /// A new file; there must be none with this name.
    pub(super) fn create(path: &Path) -> Result<HashedFile, StoreError> {
        let counted = Counted {
            file: files::create_new(path)?,
            hasher: Hasher::new(),
            bytes: 0,
        };
        Ok(HashedFile {
            inner: BufWriter::with_capacity(BUFFER, counted),
            path: path.to_owned(),
            sealed: false,
        })
    }

    fn error(&self, source: std::io::Error) -> StoreError {
        StoreError::File(FileError {
            action: "write",
            path: self.path.clone(),
            source,
        })
    }

    /// Writes what waits in memory; says what the file holds.
    pub(super) fn complete(&mut self) -> Result<(Digest, u64), StoreError> {
        self.inner.flush().map_err(|e| self.error(e))?;
        let counted = self.inner.get_ref();
        Ok((counted.hasher.finish(), counted.bytes))
    }

    /// Flushes the complete file to disk, makes it read-only and gives it its name.
    pub(super) fn seal(mut self, name: &Path) -> Result<(), StoreError> {
        files::seal(&self.inner.get_ref().file, &self.path)?;
        files::rename(&self.path, name)?;
        self.sealed = true;
        Ok(())
    }
}

impl Drop for HashedFile {
    fn drop(&mut self) {
        if !self.sealed {
            // nobody waits for an answer
            let _ = files::remove_if_there(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let (partial, whole) = (folder.path().join("partial"), folder.path().join("whole"));
        let mut file = HashedFile::create(&partial).expect("a file");
        file.write_all(b"abc").expect("written");
        drop(file);
        assert!(!files::exists(&partial));
        let mut file = HashedFile::create(&partial).expect("a file");
        file.write_all(b"abc").expect("written");
        assert_eq!(file.complete().expect("complete"), (Digest::of(b"abc"), 3));
        file.seal(&whole).expect("sealed");
        assert!(!files::exists(&partial));
        assert_eq!(files::hash_file(&whole).expect("read"), (Digest::of(b"abc"), 3));
    }
}
