#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| patchwave_fuzz::json_job(data));
