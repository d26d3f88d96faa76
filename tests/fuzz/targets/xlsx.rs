#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    starledger::readers::xlsx(input, &starledger::here);
});
