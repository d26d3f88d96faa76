//! Originals opened for reading.
//!
//! Duty: the file itself for text, a process of its own for workbooks and foreign Parquet; how much of it was read. Not
//! its duty: what is in it.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::PipelineError;
use crate::edges::{child, files};
use crate::foreign::{CPU_SECONDS, MEMORY_BYTES, Options};
use crate::ingest::Input;
use crate::ingest::source::{Format, Source};
use crate::store::StoreError;

/// Opens an original by the format of its source.
pub(in crate::pipeline) fn open<'a>(
    source: &Source,
    path: &Path,
    read: &'a AtomicU64,
) -> Result<Input<'a>, PipelineError> {
    match source.format {
        Format::Csv | Format::JsonLines => {
            let file = files::open_plain(path).map_err(StoreError::from)?;
            Ok(Input::Bytes(Box::new(Counted { inner: file, read })))
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

/// Tells how far a file was read.
struct Counted<'a, R> {
    inner: R,
    read: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}
