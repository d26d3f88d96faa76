//! Originals opened for reading.
//!
//! Duty: the file itself for text, a process of its own for workbooks and foreign Parquet; how much of it was read, and
//! its hash. Not its duty: what is in it.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::PipelineError;
use crate::domain::Digest;
use crate::domain::hash::Hasher;
use crate::edges::{child, files};
use crate::foreign::{CPU_SECONDS, MEMORY_BYTES, Options};
use crate::ingest::Input;
use crate::ingest::source::{Format, Source};
use crate::store::StoreError;

/// Opens an original by the format of its source.
pub(in crate::pipeline) fn open<'a>(
    source: &Source,
    path: &Path,
    reading: &'a Reading,
) -> Result<Input<'a>, PipelineError> {
    match source.format {
        Format::Csv | Format::JsonLines => {
            let file = files::open_plain(path).map_err(StoreError::from)?;
            Ok(Input::Bytes(Box::new(Counted::new(file, reading))))
        }
        Format::Xlsx | Format::Parquet => {
            let Some(options) = Options::of(source) else {
                return Err(PipelineError::Stage {
                    what: "opening a foreign file",
                    detail: format!("the source '{}' has no format of one", source.name),
                });
            };
            let limits = child::Limits {
                memory_bytes: MEMORY_BYTES,
                wait: Duration::from_secs(CPU_SECONDS),
            };
            let output = child::open(&options.arguments(), path, limits).map_err(|source| {
                StoreError::File(files::FileError {
                    action: "start a process to read",
                    path: path.to_owned(),
                    source,
                })
            })?;
            Ok(Input::Frames(Box::new(output)))
        }
    }
}

/// How far a file was read, and what was in it so far.
#[derive(Default)]
pub(in crate::pipeline) struct Reading {
    bytes: AtomicU64,
    /// When the reader is gone: hash of the bytes from the start, and how many.
    hashed: Mutex<Option<(Hasher, u64)>>,
}

impl Reading {
    /// Bytes that were read.
    pub(in crate::pipeline) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// SHA-256 of the whole file: of the bytes as they were read, and of those that nobody read.
    pub(in crate::pipeline) fn digest(&self, path: &Path) -> Result<Digest, files::FileError> {
        let hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (mut hasher, from) = hashed.unwrap_or_default();
        files::hash_rest(path, &mut hasher, from)?;
        Ok(hasher.finish())
    }
}

/// Tells how far a file was read, and hashes it on the way.
struct Counted<'a, R> {
    inner: R,
    reading: &'a Reading,
    hasher: Hasher,
    hashed: u64,
    position: u64,
}

impl<'a, R> Counted<'a, R> {
    fn new(inner: R, reading: &'a Reading) -> Counted<'a, R> {
        Counted {
            inner,
            reading,
            hasher: Hasher::new(),
            hashed: 0,
            position: 0,
        }
    }

    /// Bytes that continue what was hashed are hashed; after a jump ahead nothing is.
    fn hash(&mut self, bytes: &[u8]) {
        let known = usize::try_from(self.hashed.saturating_sub(self.position)).unwrap_or(usize::MAX);
        if self.position <= self.hashed
            && let Some(new) = bytes.get(known..)
        {
            self.hasher.raw(new);
            self.hashed += new.len() as u64;
        }
        self.position += bytes.len() as u64;
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash(&buffer[..count]);
        self.reading.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = self.inner.seek(to)?;
        Ok(self.position)
    }
}

impl<R> Drop for Counted<'_, R> {
    fn drop(&mut self) {
        let hashed = (std::mem::take(&mut self.hasher), self.hashed);
        *self.reading.hashed.lock().unwrap_or_else(PoisonError::into_inner) = Some(hashed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_the_file_however_it_is_read() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &bytes).expect("a file");
        // where to go, how much to read
        let ways: [&[(u64, usize)]; 6] = [
            &[],
            &[(0, 40_000), (40_000, 10)],
            &[(0, 100), (100, 300)],
            &[(39_000, 1_000), (0, 5_000), (4_000, 3_000), (100, 20)],
            &[(0, 10), (20, 10), (10, 40)],
            &[(10, 0), (0, 7)],
        ];
        for way in ways {
            let reading = Reading::default();
            let mut file = Counted::new(files::open_plain(&path).expect("it opens"), &reading);
            for (to, count) in way {
                file.seek(SeekFrom::Start(*to)).expect("a place");
                let mut read = Vec::new();
                file.by_ref()
                    .take(*count as u64)
                    .read_to_end(&mut read)
                    .expect("it reads");
            }
            drop(file);
            assert_eq!(reading.digest(&path).expect("it reads"), Digest::of(&bytes), "{way:?}");
        }
    }
}
