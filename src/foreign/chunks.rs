//! Pieces of a file for the Parquet reader.
//!
//! Duty: bytes from a place, never more than the file has. Not its duty: what they mean.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

pub struct Chunks<R> {
    input: Arc<Mutex<R>>,
    length: u64,
}

impl<R: Read + Seek> Chunks<R> {
    pub fn new(mut input: R) -> io::Result<Chunks<R>> {
        let length = input.seek(SeekFrom::End(0))?;
        Ok(Chunks {
            input: Arc::new(Mutex::new(input)),
            length,
        })
    }
}

impl<R: Send> Length for Chunks<R> {
    fn len(&self) -> u64 {
        self.length
    }
}

impl<R: Read + Seek + Send> ChunkReader for Chunks<R> {
    type T = BufReader<Rest<R>>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(Rest {
            input: self.input.clone(),
            position: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.checked_add(length as u64);
        // checked before anything is allocated: a damaged file asks for any length
        if end.is_none_or(|end| end > self.length) {
            let text = format!("bytes {start} and {length} more are not in the file");
            return Err(ParquetError::EOF(text));
        }
        let mut bytes = vec![0; length];
        let mut rest = Rest {
            input: self.input.clone(),
            position: start,
        };
        rest.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// The file from a place on.
pub struct Rest<R> {
    input: Arc<Mutex<R>>,
    position: u64,
}

impl<R: Read + Seek> Read for Rest<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = self
            .input
            .lock()
            .map_err(|_| io::Error::other("the reader gave up before"))?;
        input.seek(SeekFrom::Start(self.position))?;
        let read = input.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}
