//! The system log, syslog(3).
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

/// The name lines are logged under; syslog(3) keeps a pointer to it, so it is never freed.
static IDENT: OnceLock<CString> = OnceLock::new();

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// LOG_ERR
    Error,
    /// LOG_WARNING
    Warning,
    /// LOG_NOTICE
    Notice,
    /// LOG_INFO
    Info,
    /// LOG_DEBUG
    Debug,
}

/// Says under which name to log, facility daemon, with process id. The first name stays.
pub fn open(ident: &str) {
    let ident = IDENT.get_or_init(|| terminated(ident));
    // SAFETY: `ident` is in a static that is never freed or changed, as openlog(3) demands.
    unsafe { libc::openlog(ident.as_ptr(), libc::LOG_PID, libc::LOG_DAEMON) };
}

/// Logs a line. What it holds is text, never a format; a NUL in it becomes a space.
pub fn write(priority: Priority, line: &str) {
    let priority = match priority {
        Priority::Error => libc::LOG_ERR,
        Priority::Warning => libc::LOG_WARNING,
        Priority::Notice => libc::LOG_NOTICE,
        Priority::Info => libc::LOG_INFO,
        Priority::Debug => libc::LOG_DEBUG,
    };
    let line = terminated(line);
    let format: &CStr = c"%s";
    // SAFETY: both strings end in NUL and are held during the call; the format takes one string.
    unsafe { libc::syslog(priority, format.as_ptr(), line.as_ptr()) };
}

fn terminated(text: &str) -> CString {
    let octets = text
        .bytes()
        .map(|octet| if octet == 0 { b' ' } else { octet });
    CString::new(octets.collect::<Vec<u8>>()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nuls_and_formats_are_text() {
        assert_eq!(terminated("a\0b").as_bytes(), b"a b");
        open("truechimer-test");
        write(Priority::Debug, "100%s %n");
    }
}
