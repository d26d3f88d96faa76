//! A panic inside the packages that decode Parquet is contained by the reader, and known; one of our own is a finding.
//! An allocation beyond the limit is contained by the process that reads foreign files: here it is a panic, with `ulimit -v`.

#![no_main]
#![feature(alloc_error_hook)]

use std::alloc::set_alloc_error_hook;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

const CONTAINED: [&str; 3] = ["/registry/", "/library/", "targets/parquet.rs"];

fn contain() {
    set_alloc_error_hook(|layout| panic!("no memory for {} bytes", layout.size()));
    let abort = take_hook();
    set_hook(Box::new(move |panic| {
        let file = panic.location().map(|at| at.file()).unwrap_or_default();
        if !CONTAINED.iter().any(|part| file.contains(part)) {
            abort(panic);
        }
    }));
}

static CONTAINS: Once = Once::new();

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    CONTAINS.call_once(contain);
    starledger::readers::parquet(input, &starledger::here);
});
