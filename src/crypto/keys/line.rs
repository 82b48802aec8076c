//! One line of a key file.
use super::KEY_LEN_MAX;
use super::access::AccessList;
use super::complaint::Complaints;
use super::table::Key;
use crate::algorithm::{Algorithm, CMAC_LEN, NoAlgorithm};
use crate::cmac::Cmac;
use crate::secret::{Secret, wipe};
use std::collections::HashMap;
use truechimer_proto::authentication::KeyId;

/// Keys up to this long are taken as they are, longer ones are hexadecimal.
const PLAIN_LEN_MAX: usize = 20;
/// Type words tried before a file is taken for something else; each costs OpenSSL a search.
const TYPES_MAX: usize = 64;

/// Remembers algorithms from line to line, so each is fetched and tried once.
#[derive(Default)]
pub(super) struct Parser {
    algorithms: HashMap<String, Result<Algorithm, NoAlgorithm>>,
}

/// A word and its column, from 1.
struct Word<'a> {
    octets: &'a [u8],
    column: usize,
    /// A comment begins right behind it, without a blank.
    glued_comment: bool,
}

/// Why a line gives no key.
struct Refusal {
    column: usize,
    what: String,
    remedy: &'static str,
}

fn refusal(column: usize, what: impl Into<String>, remedy: &'static str) -> Refusal {
    let what = what.into();
    Refusal {
        column,
        what,
        remedy,
    }
}

impl Parser {
    /// The line's key, if it has a good one. Empty lines and comments have none and are fine.
    pub(super) fn line(
        &mut self,
        number: usize,
        octets: &[u8],
        complaints: &mut Complaints,
    ) -> Option<Key> {
        let mut warn = |warning: Refusal| {
            complaints.warn((number, warning.column), warning.what, warning.remedy);
        };
        match self.read(octets, &mut warn) {
            Ok(key) => key,
            Err(why) => {
                complaints.refuse((number, why.column), why.what, why.remedy);
                None
            }
        }
    }

    fn read(
        &mut self,
        octets: &[u8],
        warn: &mut dyn FnMut(Refusal),
    ) -> Result<Option<Key>, Refusal> {
        let mut rest = Words { octets, at: 0 };
        let Some(first) = rest.next() else {
            return Ok(None);
        };
        let is_control = |octet: &u8| *octet < 0x20 && *octet != b'\t' || *octet == 0x7F;
        if let Some(at) = octets.iter().position(is_control) {
            let what = "control character in the line";
            return Err(refusal(at + 1, what, "write the key in hexadecimal"));
        }
        let id = key_id(&first)?;
        let end = octets.len() + 1;
        let kind = rest.next().ok_or_else(|| {
            let what = format!("key {} has no type", id.get());
            refusal(end, what, "write e.g. AES128CMAC, SHA1 or M before the key")
        })?;
        let algorithm = self.algorithm(kind.octets).map_err(|why| {
            let what = no_algorithm(id, &kind, why);
            refusal(kind.column, what, "use AES128CMAC, SHA256, SHA1 or M (MD5)")
        })?;
        let word = rest.next().ok_or_else(|| {
            let what = format!("key {} has a type but no key", id.get());
            refusal(
                end,
                what,
                "write the key after the type; # begins a comment",
            )
        })?;
        let secret = secret(&word).map_err(|column| {
            let what = format!(
                "key {} is longer than {PLAIN_LEN_MAX} characters and not hexadecimal",
                id.get()
            );
            refusal(
                column,
                what,
                "shorten it, or write only the digits 0-9 and a-f",
            )
        })?;
        warn_about(id, &word, warn);
        let access = rest
            .next()
            .map_or_else(|| Ok(AccessList::default()), |list| access(id, &list))?;
        let cmac = cmac_key(&algorithm, &secret).map_err(|NoCmac| {
            let what = format!("key {}: OpenSSL refuses AES-128-CMAC here", id.get());
            refusal(kind.column, what, "use SHA256 or SHA1")
        })?;
        Ok(Some(Key {
            id,
            algorithm,
            secret,
            cmac,
            access,
        }))
    }

    fn algorithm(&mut self, word: &[u8]) -> Result<Algorithm, NoAlgorithm> {
        let word = str::from_utf8(word).map_err(|_| NoAlgorithm::Unavailable)?;
        if let Some(known) = self.algorithms.get(word) {
            return known.clone();
        }
        if self.algorithms.len() == TYPES_MAX {
            return Err(NoAlgorithm::Unavailable);
        }
        let found = Algorithm::from_name(word);
        self.algorithms.insert(word.to_owned(), found.clone());
        found
    }
}

struct Words<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let rest = &self.octets[self.at..];
        let blanks = rest.iter().take_while(|octet| is_blank(**octet)).count();
        let rest = &rest[blanks..];
        let len = rest
            .iter()
            .take_while(|octet| !is_blank(**octet) && **octet != b'#')
            .count();
        let start = self.at + blanks;
        let glued_comment = rest.get(len) == Some(&b'#');
        self.at = if glued_comment {
            self.octets.len()
        } else {
            start + len
        };
        (len > 0).then_some(Word {
            octets: &rest[..len],
            column: start + 1,
            glued_comment,
        })
    }
}

const fn is_blank(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

fn key_id(word: &Word<'_>) -> Result<KeyId, Refusal> {
    let number = str::from_utf8(word.octets)
        .ok()
        .filter(|word| word.bytes().all(|octet| octet.is_ascii_digit()))
        .ok_or_else(|| {
            let what = "the line does not begin with a key number";
            refusal(word.column, what, "write: number type key")
        })?;
    let remedy = "choose a number from 1 to 65535";
    match number.parse() {
        Ok(0) => {
            return Err(refusal(
                word.column,
                "key number 0 means no key at all",
                remedy,
            ));
        }
        Ok(number) => KeyId::symmetric(number),
        Err(_) => None,
    }
    .ok_or_else(|| {
        let what = "key numbers above 65535 belong to the session keys of Autokey";
        refusal(word.column, what, remedy)
    })
}

fn no_algorithm(id: KeyId, kind: &Word<'_>, why: NoAlgorithm) -> String {
    let (id, kind) = (id.get(), String::from_utf8_lossy(kind.octets));
    match why {
        NoAlgorithm::Des => {
            format!("key {id}: {kind} is one of the DES formats of NTPv3, gone since NTPv4")
        }
        NoAlgorithm::Unavailable if matches!(&*kind, "M" | "m" | "MD5" | "md5") => {
            format!("key {id}: this host forbids MD5 (FIPS)")
        }
        NoAlgorithm::Unavailable => format!("key {id}: OpenSSL has no digest {kind} here"),
        NoAlgorithm::WrongLength(len) => {
            format!("key {id}: {kind} gives {len} octets, an NTP packet carries 16 or 20")
        }
    }
}

/// The column of the first bad digit is the error.
fn secret(word: &Word<'_>) -> Result<Secret, usize> {
    if word.octets.len() <= PLAIN_LEN_MAX {
        return Ok(Secret::new(word.octets.to_vec()));
    }
    let mut octets = Vec::with_capacity(KEY_LEN_MAX);
    let (mut high, mut bad) = (None, None);
    for (index, digit) in word.octets.iter().enumerate() {
        let Some(value) = char::from(*digit)
            .to_digit(16)
            .and_then(|v| u8::try_from(v).ok())
        else {
            bad = Some(word.column + index);
            break;
        };
        match high.take() {
            None => high = Some(value),
            Some(high) if octets.len() < KEY_LEN_MAX => octets.push(high << 4 | value),
            Some(_) => {}
        }
    }
    if let Some(column) = bad {
        wipe(&mut octets);
        return Err(column);
    }
    Ok(Secret::new(octets))
}

/// Says where the reference daemon silently makes another key of what is written, for the peer
/// that shares the file does so too.
fn warn_about(id: KeyId, word: &Word<'_>, warn: &mut dyn FnMut(Refusal)) {
    let (id, len) = (id.get(), word.octets.len());
    let is_hex = len > PLAIN_LEN_MAX;
    let mut warn = |what: String, remedy| warn(refusal(word.column, what, remedy));
    if word.glued_comment {
        let what = format!("key {id} ends at the # within it");
        warn(
            what,
            "make a key without #, or put a blank before the comment",
        );
    }
    if is_hex && len > 2 * KEY_LEN_MAX {
        let what = format!("only the first {KEY_LEN_MAX} octets of key {id} count");
        warn(what, "shorten it on both sides");
    } else if is_hex && len % 2 == 1 {
        let what = format!("key {id} has an odd number of digits; the last does not count");
        warn(what, "check whether a digit was lost");
    }
    if !word.octets.is_ascii() {
        let what = format!("key {id} has characters outside ASCII");
        warn(
            what,
            "their octets depend on the editor: write it in hexadecimal",
        );
    }
}

/// One bad address refuses the key: what cannot be read must not become "everybody".
fn access(id: KeyId, list: &Word<'_>) -> Result<AccessList, Refusal> {
    let mut access = AccessList::default();
    let mut column = list.column;
    for word in list.octets.split(|octet| *octet == b',') {
        let added = str::from_utf8(word).ok().and_then(|word| access.add(word));
        added.ok_or_else(|| {
            let what = format!("key {}: no address, nor address/length", id.get());
            let remedy = "write addresses parted by commas, or begin a comment with #";
            refusal(column, what, remedy)
        })?;
        column += word.len() + 1;
    }
    Ok(access)
}

/// OpenSSL does not have the cipher.
struct NoCmac;

/// A shorter secret is filled with zeros.
fn cmac_key(algorithm: &Algorithm, secret: &Secret) -> Result<Option<Secret>, NoCmac> {
    if !matches!(algorithm, Algorithm::Cmac) {
        return Ok(None);
    }
    let mut padded = [0; CMAC_LEN];
    for (slot, octet) in padded.iter_mut().zip(secret.octets()) {
        *slot = *octet;
    }
    let works = Cmac::new(&padded).is_some();
    let key = Secret::new(padded.to_vec());
    wipe(&mut padded);
    works.then_some(Some(key)).ok_or(NoCmac)
}
