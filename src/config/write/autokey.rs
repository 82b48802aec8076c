//! Autokey.

use crate::settings::{Autokey, LegacyFile};

use super::{Lines, quoted};

pub(super) fn autokey(said: &Autokey, lines: &mut Lines) {
    if said.enabled.is_some() {
        let mut words = vec!["crypto".to_owned()];
        let password = said
            .password
            .as_ref()
            .map(|secret| secret.expose().to_owned());
        for (name, value) in [
            ("host", &said.host),
            ("pw", &password),
            ("digest", &said.digest),
        ] {
            words.extend(
                value
                    .as_ref()
                    .map(|value| format!("{name} {}", quoted(value))),
            );
        }
        words.extend(said.threads.map(|count| format!("threads {count}")));
        if !said.cores.is_empty() {
            let cores: Vec<String> = said.cores.iter().map(u16::to_string).collect();
            words.push(format!("cores {}", cores.join(" ")));
        }
        let idents = said.idents.iter();
        words.extend(idents.map(|name| format!("ident {}", quoted(name))));
        words.extend(said.insecure.then(|| "insecure".to_owned()));
        words.extend(said.legacy_files.iter().map(|(which, file)| {
            let name = match which {
                LegacyFile::Certificate => "cert",
                LegacyFile::SignKey => "sign",
                LegacyFile::LeapSeconds => "leap",
                LegacyFile::Gq => "gqpar",
                LegacyFile::Iff => "iffpar",
                LegacyFile::Mv => "mvpar",
            };
            format!("{name} {}", quoted(&file.value))
        }));
        lines.push(words);
    }
    for (directive, file) in [
        ("keysdir", &said.keys_dir),
        ("ntpsigndsocket", &said.sign_socket),
    ] {
        if let Some(file) = file {
            lines.push([directive, &quoted(&file.value)]);
        }
    }
    if let Some(name) = &said.default_ident {
        lines.push(["ident", &quoted(name)]);
    }
    for (directive, log2_s) in [
        ("revoke", said.revoke_log2_s),
        ("automax", said.automax_log2_s),
    ] {
        if let Some(log2_s) = log2_s {
            lines.push([directive, &log2_s.to_string()]);
        }
    }
}
