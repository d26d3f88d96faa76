//! The rooms that read what others send, under the name of the program, for the fuzz targets.

#![allow(dead_code, clippy::pedantic)]

extern crate self as starledger;

#[path = "../../src/contracts/mod.rs"]
pub mod contracts;
#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../src/foreign/mod.rs"]
pub mod foreign;
#[path = "../../src/ingest/mod.rs"]
pub mod ingest;

pub mod readers;

/// Reads a foreign file in this process.
pub fn here(file: &[u8], options: &foreign::Options) -> Vec<u8> {
    let mut frames = Vec::new();
    foreign::read(std::io::Cursor::new(file.to_vec()), options, &mut frames).expect("an output in memory");
    frames
}
