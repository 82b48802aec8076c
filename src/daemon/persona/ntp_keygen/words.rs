//! The options, by letter and by name.

/// Whether a value follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Optional,
    /// How it is called in the usage text.
    Needed(&'static str),
}

/// One option.
#[derive(Debug, PartialEq)]
pub(super) struct Word {
    pub(super) letter: Option<char>,
    pub(super) long: &'static str,
    pub(super) value: Value,
}

const fn flag(letter: char, long: &'static str) -> Word {
    Word {
        letter: Some(letter),
        long,
        value: Value::None,
    }
}

const fn valued(letter: char, long: &'static str, name: &'static str) -> Word {
    Word {
        letter: Some(letter),
        long,
        value: Value::Needed(name),
    }
}

const fn own(long: &'static str, value: Value) -> Word {
    Word {
        letter: None,
        long,
        value,
    }
}

const WORDS: &[Word] = &[
    valued('b', "imbits", "BITS"),
    valued('c', "certificate", "SCHEME"),
    valued('C', "cipher", "CIPHER"),
    flag('d', "debug-level"),
    valued('D', "set-debug-level", "N"),
    flag('e', "id-key"),
    flag('g', "gq-keys"),
    flag('G', "gq-params"),
    flag('H', "host-key"),
    flag('I', "iffkey"),
    valued('i', "ident", "GROUP"),
    valued('l', "lifetime", "DAYS"),
    valued('m', "modulus", "BITS"),
    flag('M', "md5key"),
    flag('P', "pvt-cert"),
    valued('p', "password", "PASSWORD"),
    valued('q', "export-passwd", "PASSWORD"),
    valued('r', "trusted-host", "HOST"),
    valued('s', "subject-name", "HOST[@GROUP]"),
    valued('S', "sign-key", "RSA|DSA"),
    flag('T', "trusted-cert"),
    valued('V', "mv-params", "N"),
    valued('v', "mv-keys", "N"),
    flag('?', "help"),
    flag('!', "more-help"),
    Word {
        letter: Some('>'),
        long: "save-opts",
        value: Value::Optional,
    },
    valued('<', "load-opts", "FILE"),
    own("no-load-opts", Value::None),
    own("version", Value::None),
    own("keysdir", Value::Needed("DIR")),
    own("charset", Value::Needed("NAME")),
    own("client", Value::Needed("N")),
    own("legacy-pem", Value::None),
    own("fresh", Value::None),
    own("vms", Value::None),
];

/// Names of other generations.
const ALIASES: &[(&str, &str)] = &[
    ("issuer-name", "ident"),
    ("group", "ident"),
    ("pvt-passwd", "password"),
    ("get-pvt-passwd", "export-passwd"),
    ("private-key-cipher", "cipher"),
];

pub(super) fn by_letter(letter: char) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.letter == Some(letter))
}

/// By its name, in any case, or any beginning of it that only one option has.
pub(super) fn by_name(name: &str) -> Option<&'static Word> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
    let name = alias.map_or(name.as_str(), |(_, long)| long);
    if let Some(word) = WORDS.iter().find(|word| word.long == name) {
        return Some(word);
    }
    let mut begun = WORDS.iter().filter(|word| word.long.starts_with(name));
    begun
        .next()
        .filter(|_| begun.next().is_none() && !name.is_empty())
}

/// What `-?` prints.
pub const USAGE: &str = "\
ntp-keygen - make keys, certificates and identity files for NTP
Usage:  ntp-keygen [ -<flag> [<val>] | --<name>[{=| }<val>] ]...
  Flg Arg Option-Name      Description
   -b Num imbits           identity modulus bits (IFF 2048, GQ 1016, MV 1024)
   -c Str certificate      certificate scheme (RSA-SHA256)
   -C Str cipher           private key cipher (aes-256-cbc)
   -d no  debug-level      show the public numbers; may be repeated
   -D Num set-debug-level  the same at once
   -e no  id-key           write identity parameters for clients to standard output
   -g no  gq-keys          new GQ key, same GQ parameters
   -G no  gq-params        generate GQ parameters and keys
   -H no  host-key         generate RSA host key
   -I no  iffkey           generate IFF parameters and keys
   -i Str ident            set Autokey group name
   -l Num lifetime         certificate lifetime, days (365)
   -m Num modulus          RSA and DSA modulus bits (2048)
   -M no  md5key           generate symmetric keys
   -P no  pvt-cert         private certificate (PC scheme)
   -p Str password         local private password (the host's name)
   -q Str export-passwd    write server identity keys to standard output, under this password
   -r Str trusted-host     taken for compatibility
   -s Str subject-name     set host name, and group name after an @
   -S Str sign-key         generate sign key (RSA or DSA)
   -T no  trusted-cert     trusted certificate (TC scheme)
   -V Num mv-params        generate <num> MV keys
   -v Num mv-keys          revoke MV key <num>
      Str keysdir          folder to work in (the current one)
      Str charset          of symmetric keys: printable, or safe for routers and shells
      Num client           which MV client -e writes (1)
      no  legacy-pem       host and sign keys in the form of before 2010
      no  fresh            move the old ntpkey_ files aside first
      no  vms              -i and -s as OpenVMS has them
      no  version          version
   -? no  help             this text
   -! no  more-help        this text, and what differs between generations
   -> opt save-opts        save the options to a file (~/.ntprc)
   -< Str load-opts        load options from a file; --no-load-opts for none
A password may be file:PATH, fd:N, env:NAME, prompt: or the word itself (pass:WORD if it looks so).
";

/// What `-!` adds.
pub(super) const GENERATIONS: &str = "
Where generations differ:
  -i   4.2.8: group. 4.2.5: issuer, which is the same here. OpenVMS: host; say --vms.
  -s   4.2.8: host[@group]. OpenVMS: issuer, that is the group; say --vms.
  -l   a number is days. OpenVMS: a file to link to; an existing file with -I, -G or -V is linked.
  -q   4.2.8: export password. Until 4.2.6: password for reading; -q without -p and -e is taken so
       when it opens the host key.
  -r   OpenVMS: the trusted host's name. Certificates tell that since.
  -v   4.2.8: does nothing. OpenVMS: keys of existing MV parameters. Here: revoke that key; without
       parameters, make them.
       With --vms it revokes nothing.
  -P   with -l FILE, as OpenVMS has it: links that host key or certificate for this host too.
  -V   OpenVMS: also without a number, before -l FILE.
  -m   4.2.8 and OpenVMS: 512 bits without it. Here: 2048; -m 512 is for peers that have no more.
  -c   4.2.8 and OpenVMS: RSA-MD5 without it. Here: RSA-SHA256. MD2 and MDC2 are gone from OpenSSL,
       RSA-SHA and DSA-SHA are read as SHA-1.
  -p   OpenVMS: encrypts with DES. Here: AES-256; -C des-ede3-cbc is what 4.2.8 writes. All are read.
  -g   OpenVMS and 4.2.4 only.
  -e, -q   write nothing to the folder; 4.2.8 makes a new certificate each time.
  -e -q    4.2.8 writes the server's key as well, under the password. Clients need none of it, so
           it is not written here.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_in_the_usage_text_and_none_is_there_twice() {
        for (index, word) in WORDS.iter().enumerate() {
            assert!(USAGE.contains(word.long), "{}", word.long);
            if let Some(letter) = word.letter {
                assert!(USAGE.contains(&format!("   -{letter} ")), "-{letter}");
            }
            let twin = |other: &Word| {
                other.long == word.long || (word.letter.is_some() && other.letter == word.letter)
            };
            assert!(!WORDS[index + 1..].iter().any(twin), "{}", word.long);
        }
        for (_, long) in ALIASES {
            assert!(WORDS.iter().any(|word| word.long == *long), "{long}");
        }
    }

    #[test]
    fn names_may_be_shortened() {
        let long = |name| by_name(name).map(|word| word.long);
        assert_eq!(long("trusted-c"), Some("trusted-cert"));
        assert_eq!(long("TRUSTED_CERT"), Some("trusted-cert"));
        assert_eq!(long("trusted"), None, "trusted-cert or trusted-host");
        assert_eq!(long("issuer-name"), Some("ident"));
        assert_eq!(long("host"), Some("host-key"));
        assert_eq!(long(""), None);
    }
}
