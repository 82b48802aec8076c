//! A drift file is a frequency the clock can have, or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer::files::drift;

fuzz_target!(|octets: &[u8]| {
    match drift::parse(octets) {
        Ok(freq_ppm) => assert!(freq_ppm.is_finite() && freq_ppm.abs() <= 500.0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
