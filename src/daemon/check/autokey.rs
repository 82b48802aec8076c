//! Autokey's key files, and where its answers would be open to the world.
use super::codes;
use crate::autokey::{self, Expiry, closed_at, trusted_for_nothing};
use crate::calendar;
use crate::service::Remark;
use core::net::IpAddr;
use truechimer_config::settings::Settings;
use truechimer_config::{Code, Diagnostic, Span};
use truechimer_time::Instant;

pub(super) fn check(settings: &Settings, own: &[IpAddr], found: &mut Vec<Diagnostic>) {
    let Some(line) = &settings.autokey.enabled else {
        return;
    };
    let mut remarks = Vec::new();
    let reading = autokey::read(settings, &autokey::machine(), &mut remarks);
    let of = |remark: &Remark| {
        let code = match (remark.level, &reading) {
            (log::Level::Error, None) => codes::AUTOKEY_OFF,
            (log::Level::Error, Some(_)) => codes::AUTOKEY_FILE,
            _ => codes::AUTOKEY_FILE_ODD,
        };
        parted(code, &line.span, &remark.text)
    };
    found.extend(remarks.iter().map(of));
    let trusted = reading
        .as_ref()
        .and_then(|it| trusted_for_nothing(&it.facts, settings));
    found.extend(trusted.map(|text| parted(codes::TRUSTED_CLIENT, &line.span, &text)));
    let expiry = reading.and_then(|it| Expiry::of(&it.facts, Instant::default()));
    let told = expiry.and_then(|mut it| it.poll(Instant::default(), calendar::now_unix_s()));
    found.extend(told.map(|text| parted(codes::CERTIFICATE_ENDS, &line.span, &text)));
    if let Some(closed) = closed_at(own, &settings.autokey) {
        found.push(parted(codes::AUTOKEY_PUBLIC, &line.span, &closed));
    }
}

/// What is wrong, and after the last semicolon what to do.
fn parted(code: Code, span: &Span, text: &str) -> Diagnostic {
    let (what, remedy) = text.rsplit_once("; ").unwrap_or((text, ""));
    let complaint = Diagnostic::new(code, span.clone(), what).label("Autokey");
    if remedy.is_empty() {
        complaint
    } else {
        complaint.help(remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autokey::tests::ntp_keygen;
    use crate::testing::Scratch;
    use truechimer_config::{NoFiles, parse};

    fn found(folder: &std::path::Path, lines: &str) -> Vec<Diagnostic> {
        let text = format!("keysdir {}\n{lines}\n", folder.display());
        let settings = parse("test", text.as_bytes(), &NoFiles).settings;
        let mut found = Vec::new();
        check(&settings, &[IpAddr::from([9, 9, 9, 9])], &mut found);
        found
    }

    #[test]
    fn files_are_judged_before_a_daemon_fails_on_them() {
        let scratch = Scratch::new("check-autokey");
        let folder = scratch.path("");
        assert!(found(&folder, "").is_empty());
        let missing = found(&folder, "crypto pw p");
        assert_eq!(missing[0].code, codes::AUTOKEY_OFF.id);
        assert_eq!(missing[0].severity, truechimer_config::Severity::Error);
        let help = missing[0].help.as_deref().unwrap_or_default();
        assert!(help.starts_with("make it: ntp-keygen -H"), "{missing:?}");
        assert_eq!(missing[0].span.as_ref().map(|it| it.line), Some(2));

        ntp_keygen(&folder, "host", "-T -m 2048 -c RSA-SHA256 -p p");
        let lines = "crypto pw p host host\nserver a autokey ident GR9";
        let codes_of = |found: &[Diagnostic]| found.iter().map(|it| it.code).collect::<Vec<_>>();
        assert_eq!(
            codes_of(&found(&folder, lines)),
            [
                codes::AUTOKEY_FILE.id,
                codes::TRUSTED_CLIENT.id,
                codes::AUTOKEY_PUBLIC.id
            ]
        );
        let open = found(&folder, "crypto pw p host host insecure");
        assert!(open.is_empty(), "{open:?}");

        // It is trusted, and only a source should be.
        let host = "crypto pw p host host insecure";
        for (servers, told) in [
            ("server 192.0.2.1 autokey", true),
            (
                "server 192.0.2.1 autokey\nserver 192.0.2.2 autokey iburst",
                true,
            ),
            ("server 192.0.2.1 autokey\nserver 192.0.2.2", false),
            ("server 192.0.2.1 autokey\nserver 127.127.1.0", false),
            ("peer 192.0.2.1 autokey", false),
            ("broadcast 192.0.2.255 autokey", false),
        ] {
            let all = found(&folder, &format!("{host}\n{servers}"));
            let expected = [codes::TRUSTED_CLIENT.id];
            let expected = if told { &expected[..] } else { &[] };
            assert_eq!(codes_of(&all), expected, "{servers}: {all:?}");
        }
        ntp_keygen(&folder, "plain", "-m 2048 -c RSA-SHA256 -p p");
        let all = found(
            &folder,
            "crypto pw p host plain insecure\nserver 192.0.2.1 autokey",
        );
        assert!(all.is_empty(), "{all:?}");
        let link = folder.join("ntpkey_host_plain");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(link, mode).expect("ours");
        let all = found(&folder, "crypto pw p host plain insecure");
        assert_eq!(codes_of(&all), [codes::AUTOKEY_FILE_ODD.id]);
        let help = all[0].help.as_deref().unwrap_or_default();
        assert!(help.starts_with("chmod 0640 "), "{all:?}");
    }
}
