//! Any text is a key table, complaints never show a key, and a table can be made of what is left.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer_crypto::{KeyTable, keys};

fuzz_target!(|text: &[u8]| {
    let (file, complaints) = keys::parse(text);
    for complaint in complaints {
        assert!(!complaint.to_string().is_empty());
    }
    assert_eq!(file.is_empty(), file.len() == 0);
    let _ = KeyTable::new(file, []);
});
