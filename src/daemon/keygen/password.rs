//! Passwords of key files: from the command line, a file, a descriptor, a variable or a prompt.
use crate::files::bounded;
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use std::env;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use truechimer_crypto::keyfile::KeyFileError;

/// Longest password, octets: what OpenSSL's callbacks take.
const LEN_MAX: usize = 1023;

/// What a word of the command line stands for: `file:PATH`, `fd:N`, `env:NAME`, `pass:WORD`,
/// `prompt:`, or the password itself.
///
/// # Errors
/// That there is none to be had there.
pub(crate) fn resolve(word: &str) -> io::Result<String> {
    let found = match word.split_once(':') {
        Some(("file", path)) => first_line(&bounded::read(Path::new(path), LEN_MAX + 1024)?)?,
        Some(("fd", number)) => {
            let number: u32 = number.parse().map_err(|_| invalid("fd: wants a number"))?;
            let mut text = Vec::new();
            let file = OpenOptions::new()
                .read(true)
                .open(format!("/proc/self/fd/{number}"))?;
            file.take(2048).read_to_end(&mut text)?;
            first_line(&text)?
        }
        Some(("env", name)) => {
            env::var(name).map_err(|_| invalid(&format!("the variable {name} is not set")))?
        }
        Some(("pass", word)) => word.to_owned(),
        Some(("prompt", "")) => prompt()?,
        _ => word.to_owned(),
    };
    match found.len() {
        0 => Err(invalid("an empty password protects nothing")),
        len if len > LEN_MAX => Err(invalid("longer than 1023 octets")),
        _ => Ok(found),
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("password: {what}"))
}

fn first_line(text: &[u8]) -> io::Result<String> {
    let line = text
        .split(|octet| *octet == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec()).map_err(|_| invalid("not UTF-8"))
}

/// Asks on the terminal, without echo.
fn prompt() -> io::Result<String> {
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    terminal.write_all(b"Password: ")?;
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &silent)?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).take(2048).read_line(&mut line);
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &before)?;
    terminal.write_all(b"\n")?;
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Passwords to try, the likeliest first. The first that opens anything is the one that new files
/// are written with.
#[derive(Clone)]
pub(crate) struct Passwords {
    candidates: Vec<String>,
}

impl core::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Passwords({})", self.candidates.len())
    }
}

impl Passwords {
    /// Exactly this one.
    pub(crate) fn given(word: String) -> Self {
        Self {
            candidates: vec![word],
        }
    }

    /// The default: the machine's name, as the daemon takes it; files of before 2010 have it
    /// without the domain.
    pub(crate) fn of_host(host: &str) -> Self {
        let mut candidates = vec![host.to_owned()];
        candidates.extend(host.split_once('.').map(|(short, _)| short.to_owned()));
        Self { candidates }
    }

    /// What new files are encrypted with.
    pub(crate) fn local(&self) -> &[u8] {
        self.candidates.first().map_or(&[], |word| word.as_bytes())
    }

    /// Tries to read with one after the other.
    pub(crate) fn open<T>(
        &self,
        read: impl Fn(Option<&[u8]>) -> Result<T, KeyFileError>,
    ) -> Result<T, KeyFileError> {
        let mut outcome = Err(KeyFileError::NeedsPassword);
        for word in &self.candidates {
            outcome = read(Some(word.as_bytes()));
            if !matches!(outcome, Err(KeyFileError::WrongPassword)) {
                break;
            }
        }
        outcome
    }

    /// The one that opens this becomes the one that new files are written with.
    pub(crate) fn prefer_what_opens(&mut self, opens: impl Fn(&[u8]) -> bool) {
        if let Some(index) = self
            .candidates
            .iter()
            .position(|word| opens(word.as_bytes()))
        {
            self.candidates.swap(0, index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::fd::AsRawFd;

    #[test]
    fn from_everywhere() {
        assert_eq!(resolve("serverpassword").expect("itself"), "serverpassword");
        assert_eq!(resolve("pass:file:x").expect("itself"), "file:x");
        assert_eq!(resolve("a:b").expect("itself"), "a:b");
        let scratch = Scratch::new("password");
        let file = scratch.path("pw");
        std::fs::write(&file, "from a file\r\nsecond line\n").expect("written");
        assert_eq!(
            resolve(&format!("file:{}", file.display())).expect("read"),
            "from a file"
        );
        let (read, mut write) = std::io::pipe().expect("a pipe");
        write.write_all(b"by a pipe\r\n").expect("room");
        drop(write);
        let word = format!("fd:{}", read.as_raw_fd());
        assert_eq!(resolve(&word).expect("read"), "by a pipe");
        assert!(resolve("env:HOME").is_ok_and(|home| home.starts_with('/')));
        for word in [
            "",
            "pass:",
            "file:/nowhere",
            "env:TRUECHIMER_NO_SUCH",
            "fd:x",
            "fd:99",
        ] {
            assert!(resolve(word).is_err(), "{word}");
        }
        assert!(resolve(&"a".repeat(1024)).is_err());
    }

    #[test]
    fn the_short_name_is_tried_too() {
        let mut passwords = Passwords::of_host("portable.archi.amt");
        assert_eq!(passwords.local(), b"portable.archi.amt");
        passwords.prefer_what_opens(|word| word == b"portable");
        assert_eq!(passwords.local(), b"portable");
        assert_eq!(format!("{passwords:?}"), "Passwords(2)");
    }
}
