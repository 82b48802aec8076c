//! A leap-seconds.list that parses is a table that answers for any time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer_time::leap;

fuzz_target!(|octets: &[u8]| {
    // The daemon reads the file as lossy UTF-8, too.
    let text = String::from_utf8_lossy(octets);
    match leap::parse(&text) {
        Ok(list) => {
            let last = list.table.last_change_unix_s();
            for unix_s in [i64::MIN, 0, last.saturating_sub(1), last, i64::MAX] {
                let _ = list.table.tai_utc_s(unix_s);
                let _ = list.table.next_after(unix_s);
            }
            assert!(list.signed_text.len() <= text.len());
            let _ = truechimer_crypto::leap_list_matches(&list);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
