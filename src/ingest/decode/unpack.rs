//! The one file inside an archive, byte by byte.
//!
//! Duty: no byte more than the caps allow, none less than the archive holds, sums compared at the end. Not its duty:
//! which entry of a zip is the file, what the bytes mean.

use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};

use super::super::limits::CHUNK_BYTES;
use super::delivered::Delivered;
use super::zip::{self, Entry, Method};
use super::{Bytes, Compression, Fault, caps, carried, fault_of, kind};

/// The bytes of a file without its compression. Where nothing is packed these are the file's own.
pub fn unpack<'a>(input: Box<dyn Bytes + 'a>, compression: Compression) -> Result<Box<dyn Read + Send + 'a>, Fault> {
    opened(input, compression).map(|(bytes, _)| bytes)
}

/// The same with the length of the file as delivered.
pub(super) fn opened<'a>(
    input: Box<dyn Bytes + 'a>,
    compression: Compression,
) -> Result<(Box<dyn Read + Send + 'a>, u64), Fault> {
    let (mut file, length) = Delivered::whole(input)?;
    if compression == Compression::None {
        return Ok((Box::new(file), length));
    }
    let mut head = Vec::new();
    Read::take(&mut file, 4).read_to_end(&mut head).map_err(fault_of)?;
    if kind(&head) != Some(compression) {
        return Err(not_packed(compression, length));
    }
    let input = file.into_inner();
    let unpacked = if compression == Compression::Gzip {
        let (file, length) = Delivered::whole(input)?;
        Unpacked::gzip(file, length)
    } else {
        let (input, entry) = zip::only_file(input, length)?;
        Unpacked::entry(Delivered::part(input, entry.start, entry.packed)?, &entry)?
    };
    Ok((Box::new(unpacked), length))
}

fn not_packed(compression: Compression, length: u64) -> Fault {
    if length == 0 {
        let remedy = "deliver the file again; where there is nothing to report, deliver the header alone";
        return Fault::new("file.empty", "the file has 0 bytes", remedy);
    }
    let name = compression.name();
    let reason = format!("the file is no {name} archive, though the source declares compression = \"{name}\"");
    Fault::new(
        "file.type",
        reason,
        "deliver it packed, or take `compression` out of the source",
    )
}

pub(super) fn damaged(what: &str, how: &str) -> Fault {
    let remedy = "deliver it again; whoever packs it can test it first (gzip -t, unzip -t)";
    Fault::new(
        "archive.damaged",
        format!("the {what} archive is damaged: {how}"),
        remedy,
    )
}

fn bomb(cap: u64) -> Fault {
    Fault::new(
        "archive.bomb",
        format!("the archive unpacks to more than {cap} bytes, which is far more than a table of its size does"),
        "deliver the table in smaller files, or without compression",
    )
}

enum Decoder<'a> {
    /// All members, one after another.
    Gzip(MultiGzDecoder<BufReader<Delivered<'a>>>),
    Deflate(DeflateDecoder<BufReader<Delivered<'a>>>),
    Stored(BufReader<Delivered<'a>>),
}

impl<'a> Decoder<'a> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Deflate(decoder) => decoder.read(buffer),
            Decoder::Stored(bytes) => bytes.read(buffer),
        }
    }

    fn packed(&self) -> &BufReader<Delivered<'a>> {
        match self {
            Decoder::Gzip(decoder) => decoder.get_ref(),
            Decoder::Deflate(decoder) => decoder.get_ref(),
            Decoder::Stored(bytes) => bytes,
        }
    }
}

/// What a zip says of its entry.
struct Promise {
    bytes: u64,
    crc: u32,
    actual: Crc,
}

enum State {
    Reading,
    Ended,
    /// Every further read fails with it: a caller that tries again must not see an end.
    Failed(Fault),
}

/// Reads an archive; see the module.
struct Unpacked<'a> {
    decoder: Decoder<'a>,
    what: &'static str,
    cap: u64,
    count: u64,
    /// Gzip compares its own.
    promise: Option<Promise>,
    state: State,
}

impl<'a> Unpacked<'a> {
    fn gzip(file: Delivered<'a>, length: u64) -> Unpacked<'a> {
        Unpacked {
            decoder: Decoder::Gzip(MultiGzDecoder::new(BufReader::with_capacity(CHUNK_BYTES, file))),
            what: "gzip",
            cap: caps::unpacked_bytes(length),
            count: 0,
            promise: None,
            state: State::Reading,
        }
    }

    fn entry(part: Delivered<'a>, entry: &Entry) -> Result<Unpacked<'a>, Fault> {
        let cap = caps::unpacked_bytes(entry.packed);
        if entry.unpacked > cap {
            return Err(bomb(cap));
        }
        let part = BufReader::with_capacity(CHUNK_BYTES, part);
        Ok(Unpacked {
            decoder: match entry.method {
                Method::Stored => Decoder::Stored(part),
                Method::Deflate => Decoder::Deflate(DeflateDecoder::new(part)),
            },
            what: "zip",
            cap,
            count: 0,
            promise: Some(Promise {
                bytes: entry.unpacked,
                crc: entry.crc,
                actual: Crc::new(),
            }),
            state: State::Reading,
        })
    }

    /// Counts what was unpacked, which is used only if nothing is wrong with it.
    fn count(&mut self, unpacked: &[u8]) -> Result<(), Fault> {
        self.count += unpacked.len() as u64;
        if let Some(promise) = &mut self.promise {
            if self.count > promise.bytes {
                let how = format!(
                    "its file has more than the {} bytes that its directory says",
                    promise.bytes
                );
                return Err(damaged(self.what, &how));
            }
            promise.actual.update(unpacked);
        }
        if self.count > self.cap {
            return Err(bomb(self.cap));
        }
        Ok(())
    }

    /// What must hold at the end.
    fn check_end(&self) -> Result<(), Fault> {
        let Some(promise) = &self.promise else {
            return Ok(());
        };
        if self.count != promise.bytes {
            let how = format!(
                "its file has {} bytes, not {} as its directory says",
                self.count, promise.bytes
            );
            return Err(damaged(self.what, &how));
        }
        if promise.actual.sum() != promise.crc {
            return Err(damaged(self.what, "the checksum of its file is wrong"));
        }
        let packed = self.decoder.packed();
        if !packed.buffer().is_empty() || packed.get_ref().left() > 0 {
            return Err(damaged(self.what, "there are packed bytes behind the end of its file"));
        }
        Ok(())
    }

    fn fail(&mut self, fault: Fault) -> io::Error {
        self.state = State::Failed(fault.clone());
        carried(fault)
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.state {
            State::Failed(fault) => return Err(carried(fault.clone())),
            State::Ended => return Ok(0),
            State::Reading if buffer.is_empty() => return Ok(0),
            State::Reading => {}
        }
        match self.decoder.read(buffer) {
            Ok(0) => match self.check_end() {
                Ok(()) => {
                    self.state = State::Ended;
                    Ok(0)
                }
                Err(fault) => Err(self.fail(fault)),
            },
            Ok(read) => match self.count(&buffer[..read]) {
                Ok(()) => Ok(read),
                Err(fault) => Err(self.fail(fault)),
            },
            Err(error) if self.decoder.packed().get_ref().failed() => {
                let fault = fault_of(error);
                Err(self.fail(fault))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let fault = damaged(self.what, "it is cut off before its end");
                Err(self.fail(fault))
            }
            Err(_) => {
                let how = if matches!(self.decoder, Decoder::Gzip(_)) {
                    "its bytes or its checksum are wrong, or there is something else behind its end"
                } else {
                    "its packed bytes are wrong"
                };
                let fault = damaged(self.what, how);
                Err(self.fail(fault))
            }
        }
    }
}

#[cfg(test)]
#[path = "unpack_tests.rs"]
mod tests;
