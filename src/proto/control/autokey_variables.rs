//! What Autokey adds to the variables of the system and of peers, in the reference's names and forms.
use super::text::{Text, Value};
use crate::autokey::certificates::Certificate;
use crate::autokey::status::{Flags, StatusWord, signature_name};
use crate::leap::compact;
use crate::server::{AutokeyOutcome, Counters, DropReason};
use crate::status::AutokeyStatus;
use truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;

/// This host, as it is shown.
#[derive(Debug)]
pub(crate) struct HostView {
    pub(crate) name: String,
    /// The group of ephemeral associations.
    pub(crate) ident: Option<String>,
    pub(crate) word: StatusWord,
    pub(crate) digest: String,
    /// When its values were signed, seconds of Unix.
    pub(crate) signed_unix_s: Option<i64>,
    /// Newest first.
    pub(crate) certificates: Vec<Certificate>,
}

impl HostView {
    pub(super) fn signature(&self) -> Option<Value> {
        signature(self.word)
    }

    pub(super) fn update(&self) -> Option<Value> {
        Some(Value::Bare(compact(self.signed_unix_s?)))
    }

    /// A pair of `cert` and `until` for each.
    pub(super) fn put_certificates(&self, text: &mut Text) {
        for it in &self.certificates {
            let facts = &it.facts;
            let shown = format!("{} {} {:#x}", facts.subject, facts.issuer, it.flags.0);
            text.put("cert", &Value::Quoted(shown));
            let until_unix_s = facts.not_after_s - UNIX_EPOCH_IN_NTP_SECONDS;
            text.put("until", &Value::Bare(compact(until_unix_s)));
        }
    }
}

/// The long name of a signature algorithm, once it is known.
pub(super) fn signature(word: StatusWord) -> Option<Value> {
    let name = signature_name(word.signature_nid)?;
    Some(Value::Quoted(name.to_owned()))
}

/// Nothing is said of who has said nothing yet.
pub(super) fn word(word: StatusWord) -> Option<Value> {
    (word.word() != 0).then(|| Value::Hex(word.word().into()))
}

/// What kind of proof there is that a server is who it is (ntpd's "cryptotype"). An identity that
/// nobody asked for is shown as such, however many bits of schemes the server has.
pub(super) fn cryptotype(of: &AutokeyStatus) -> String {
    let flags = of.status.flags;
    match of.identity {
        Some(scheme) => format!("IDENT {}", scheme.name()),
        None if !flags.contains(Flags::PROV) => "NONE yet".to_owned(),
        None if flags.contains(Flags::PRIVATE) => "PC".to_owned(),
        None => "TC, identity unproven".to_owned(),
    }
}

/// What became of what others asked by Autokey: as `12 ready, 3 autokey_rate`, or `none`.
pub(super) fn requests(served: &Counters) -> String {
    let outcomes = AutokeyOutcome::ALL.into_iter();
    let answered = outcomes.map(|it| (it.name(), served.autokey(it)));
    let reasons = DropReason::ALL.into_iter();
    let dropped = reasons.map(|it| (it.name(), served.dropped(it)));
    let dropped = dropped.filter(|(name, _)| name.starts_with("autokey_"));
    let all = answered.chain(dropped).filter(|(_, count)| *count > 0);
    let all: Vec<String> = all.map(|(name, count)| format!("{count} {name}")).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autokey::certificates::{CertificateFlags, Certificates};
    use crate::autokey::facts::CertificateFacts;
    use crate::autokey::status::Scheme;

    fn status(word: u32, identity: Option<Scheme>) -> AutokeyStatus {
        AutokeyStatus {
            host: "alice".to_owned(),
            status: StatusWord::from_word(word),
            ident: None,
            identity,
            initial: None,
            naks: 0,
        }
    }

    #[test]
    fn an_identity_that_was_skipped_is_not_one() {
        let shown = |word, identity| cryptotype(&status(word, identity));
        assert_eq!(shown(0x8_7f23, Some(Scheme::Iff)), "IDENT iff");
        assert_eq!(shown(0x8_7f23, None), "TC, identity unproven");
        assert_eq!(shown(0x8_7f13, None), "PC");
        assert_eq!(shown(0x8_0023, None), "NONE yet");
    }

    #[test]
    fn certificates_are_shown_newest_first_each_with_its_end() {
        let facts = |issuer: &str, not_after_s| CertificateFacts {
            der: issuer.as_bytes().into(),
            subject: "bob".to_owned(),
            issuer: issuer.to_owned(),
            serial: 1,
            not_before_s: not_after_s - 1_000,
            not_after_s,
            trusted: false,
            private: false,
            signature_nid: 668,
            public_key: [].into(),
            signature_len: 256,
            gq_public: None,
            filestamp: 7,
        };
        let mut known = Certificates::default();
        // 2026-11-29 00:00 and a day later.
        for (issuer, not_after_s, flags, by) in [
            ("bob", 4_004_899_200, CertificateFlags::VALID, None),
            (
                "alice",
                4_004_985_600,
                CertificateFlags::SIGN,
                Some([1].into()),
            ),
        ] {
            known.install(facts(issuer, not_after_s).into(), flags, by);
        }
        let view = HostView {
            name: "bob".to_owned(),
            ident: None,
            word: StatusWord::default(),
            digest: "md5".to_owned(),
            signed_unix_s: None,
            certificates: known.iter().cloned().collect(),
        };
        let mut text = Text::default();
        view.put_certificates(&mut text);
        let shown = String::from_utf8(text.finish()).expect("text");
        let items: Vec<&str> = shown.split(',').map(str::trim).collect();
        let expected = [
            "cert=\"bob alice 0x2\"",
            "until=202611300000",
            "cert=\"bob bob 0x4\"",
            "until=202611290000",
        ];
        assert_eq!(items, expected, "{shown}");
    }

    #[test]
    fn what_is_not_known_is_not_shown() {
        assert!(word(StatusWord::default()).is_none());
        assert!(signature(StatusWord::default()).is_none());
        let known = StatusWord::from_word(0x29c_7f03);
        assert_eq!(word(known).expect("known").to_string(), "0x29c7f03");
        assert_eq!(
            signature(known).expect("known").to_string(),
            "\"sha256WithRSAEncryption\""
        );
    }
}
