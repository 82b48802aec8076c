//! What ntp-keygen is asked to do.
use core::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use truechimer_crypto::KeyKind;
use truechimer_crypto::certificate::Scheme;
use truechimer_crypto::identity::MvAuthority;
use truechimer_crypto::keyfile::KeyCipher;
use truechimer_crypto::keys::Charset;

/// Sizes, bits. The reference goes to 2048.
const BITS: RangeInclusive<u32> = 256..=4096;
const DAYS: RangeInclusive<u32> = 1..=36_500;

/// What ntp-keygen is asked to do; the names are those of its long options.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools)]
pub struct Options {
    /// `-b`
    pub imbits: Option<u32>,
    /// `-c`, as it was typed: a digest alone goes with the kind of the sign key
    pub scheme: Option<String>,
    /// `-C`
    pub cipher: Option<KeyCipher>,
    /// `-d`, `-D`
    pub debug: u32,
    /// `-e`
    pub export_parameters: bool,
    /// `-g`
    pub gq_renew: bool,
    /// `-G`
    pub gq: bool,
    /// `-H`
    pub host_key: bool,
    /// `-I`
    pub iff: bool,
    /// `-i`
    pub group: Option<String>,
    /// `-l`
    pub lifetime: Option<Lifetime>,
    /// `-m`
    pub modulus: Option<u32>,
    /// `-M`
    pub symmetric: bool,
    /// `-P`
    pub private: bool,
    /// `-p`, as it was typed
    pub password: Option<String>,
    /// `-q`, as it was typed
    pub export_password: Option<String>,
    /// `-r`
    pub trusted_host: Option<String>,
    /// `-s`
    pub subject: Option<String>,
    /// `-S`
    pub sign_key: Option<KeyKind>,
    /// `-T`
    pub trusted: bool,
    /// `-V`
    pub mv_params: Option<u32>,
    /// `-v`
    pub mv_revoke: Option<u32>,
    /// `--keysdir`
    pub folder: Option<PathBuf>,
    /// `--charset`
    pub charset: Option<Charset>,
    /// `--client`
    pub client: Option<u32>,
    /// `--legacy-pem`
    pub legacy_pem: bool,
    /// `--fresh`
    pub fresh: bool,
    /// `--vms`
    pub vms: bool,
}

/// What follows `-l`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Of a certificate, days.
    Days(u32),
    /// A file to link to, the meaning on OpenVMS.
    Link(PathBuf),
}

/// A value that does not fit its option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError(String);

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for OptionError {}

impl Options {
    /// Sets the option of that long name.
    ///
    /// # Errors
    /// The value does not fit, or is missing.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), OptionError> {
        if self.set_flag(name) {
            return Ok(());
        }
        let value = value.ok_or_else(|| OptionError(format!("{name} wants a value")))?;
        let text = || Some(value.to_owned());
        match name {
            "imbits" => self.imbits = Some(number(name, value, BITS)?),
            "modulus" => self.modulus = Some(number(name, value, BITS)?),
            "set-debug-level" => self.debug = number(name, value, 0..=u32::MAX)?,
            "certificate" => {
                // RSA goes with every digest that there is.
                let scheme = Scheme::from_name(value, KeyKind::Rsa);
                scheme.map_err(|error| OptionError(error.to_string()))?;
                self.scheme = text();
            }
            "cipher" => {
                let unknown = || OptionError(format!("{value}: no such cipher; try aes-256-cbc"));
                self.cipher = Some(KeyCipher::from_name(value).ok_or_else(unknown)?);
            }
            "ident" => self.group = Some(owner(value)?),
            "subject-name" => {
                value
                    .split('@')
                    .try_for_each(|part| owner(part).map(drop))?;
                self.subject = text();
            }
            "lifetime" => self.lifetime = Some(lifetime(name, value)?),
            "password" => self.password = text(),
            "export-passwd" => self.export_password = text(),
            "trusted-host" => self.trusted_host = text(),
            "sign-key" => {
                self.sign_key = Some(match value.to_ascii_uppercase().as_str() {
                    "RSA" => KeyKind::Rsa,
                    "DSA" => KeyKind::Dsa,
                    _ => return Err(OptionError(format!("Invalid sign key type {value}"))),
                });
            }
            "mv-params" => {
                self.mv_params = Some(number(name, value, 2..=MvAuthority::CLIENTS_MAX)?);
            }
            "mv-keys" => {
                self.mv_revoke = Some(number(name, value, 1..=MvAuthority::CLIENTS_MAX)?);
            }
            "client" => self.client = Some(number(name, value, 1..=MvAuthority::CLIENTS_MAX)?),
            "keysdir" => self.folder = Some(PathBuf::from(value)),
            "charset" => {
                self.charset = Some(match value {
                    "printable" => Charset::Printable,
                    "safe" => Charset::Safe,
                    _ => {
                        return Err(OptionError(format!(
                            "{value}: charset is printable or safe"
                        )));
                    }
                });
            }
            _ => return Err(OptionError(format!("no option {name}"))),
        }
        Ok(())
    }

    fn set_flag(&mut self, name: &str) -> bool {
        let slot = match name {
            "debug-level" => {
                self.debug = self.debug.saturating_add(1);
                return true;
            }
            "id-key" => &mut self.export_parameters,
            "gq-keys" => &mut self.gq_renew,
            "gq-params" => &mut self.gq,
            "host-key" => &mut self.host_key,
            "iffkey" => &mut self.iff,
            "md5key" => &mut self.symmetric,
            "pvt-cert" => &mut self.private,
            "trusted-cert" => &mut self.trusted,
            "legacy-pem" => &mut self.legacy_pem,
            "fresh" => &mut self.fresh,
            "vms" => &mut self.vms,
            _ => return false,
        };
        *slot = true;
        true
    }

    /// Whether anything is to be made or renewed, beyond what an export needs.
    pub(crate) fn makes_anything(&self) -> bool {
        let flags = [
            self.gq_renew,
            self.gq,
            self.host_key,
            self.iff,
            self.private,
            self.trusted,
            self.fresh,
            self.scheme.is_some(),
            self.sign_key.is_some(),
            self.mv_params.is_some(),
            self.mv_revoke.is_some(),
            self.lifetime.is_some(),
        ];
        flags.contains(&true)
    }
}

fn number(name: &str, value: &str, range: RangeInclusive<u32>) -> Result<u32, OptionError> {
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => {
            let (low, high) = (range.start(), range.end());
            Err(OptionError(format!(
                "{name} option value {value} is out of range.\nit must be in the range:\n\t{low} to {high}"
            )))
        }
    }
}

/// Names of hosts and groups become parts of file names.
fn owner(name: &str) -> Result<String, OptionError> {
    let sound = |octet: u8| octet.is_ascii_graphic() && !b"/\\@\"'".contains(&octet);
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.bytes().all(sound) {
        return Err(OptionError(format!(
            "{name:?} can be no part of a key file's name"
        )));
    }
    Ok(name.to_owned())
}

fn lifetime(name: &str, value: &str) -> Result<Lifetime, OptionError> {
    if !value.bytes().all(|octet| octet.is_ascii_digit()) && PathBuf::from(value).exists() {
        return Ok(Lifetime::Link(PathBuf::from(value)));
    }
    number(name, value, DAYS).map(Lifetime::Days)
}
