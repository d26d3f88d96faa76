//! A foreign file that came packed.
//!
//! Duty: the bytes of the one file inside, in memory, since workbooks and Parquet are read from their end. Not its duty:
//! what is wrong with archives (`decode`), what the bytes are.

use std::io::Read;

use super::budget::MAX_PACKED_FILE_BYTES;
use crate::ingest::decode::{Bytes, Compression, fault_of, unpack};
use crate::ingest::frames::Fault;

/// The file inside an archive.
pub fn read(input: impl Bytes, compression: Compression) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    unpack(Box::new(input), compression)?
        .take(MAX_PACKED_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(fault_of)?;
    if bytes.len() as u64 > MAX_PACKED_FILE_BYTES {
        let reason = format!(
            "the file inside the archive is larger than {} MiB",
            MAX_PACKED_FILE_BYTES >> 20
        );
        return Err(Fault::new(
            "archive.bomb",
            reason,
            "deliver it without compression, or in parts",
        ));
    }
    Ok(bytes)
}
