//! Hosts with keys, made for a scenario.
use crate::build::START_UNIX_S;
use std::sync::Arc;
use truechimer_crypto::autokey::{MaterialDraft, Worker};
use truechimer_crypto::certificate::{Draft, Scheme as Signature, Standing};
use truechimer_crypto::identity::{GqKey, IffKey, MvAuthority};
use truechimer_crypto::keyfile::{FileName, KeyCipher, KeyText, heading};
use truechimer_crypto::{KeyForm, KeyKind, PrivateKey};
use truechimer_proto::autokey::facts::{Generation, HostFacts};
use truechimer_proto::autokey::status::Scheme;

const PASSWORD: &[u8] = b"secret";
/// A day before the world begins.
const MADE_UNIX_S: i64 = START_UNIX_S - 86_400;

pub(super) const IFF: Scheme = Scheme::Iff;
pub(super) const GQ: Scheme = Scheme::Gq;
pub(super) const MV: Scheme = Scheme::Mv;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Trusted,
    Private,
}

/// Made so many seconds later.
fn text_after(later_s: u32, kind: &str, owner: &str, pem: &str) -> KeyText {
    let made = u32::try_from(MADE_UNIX_S + 2_208_988_800).expect("this era");
    let name = FileName::new(kind, owner, made + later_s);
    KeyText::parse(format!("{}{pem}", heading(&name, "today")).as_bytes()).expect("PEM")
}

/// A self-signed certificate of this key, made so many seconds later.
fn certificate(
    host: &PrivateKey,
    later_s: u32,
    (name, kind): (&str, Kind),
    gq_public: Option<&[u8]>,
) -> KeyText {
    let draft = Draft {
        name,
        from_unix_s: MADE_UNIX_S + i64::from(later_s),
        lifetime_days: 365,
        standing: match kind {
            Kind::Plain => Standing::Plain,
            Kind::Trusted => Standing::Trusted,
            Kind::Private => Standing::Private,
        },
        gq_public,
    };
    let signature = Signature::usual(KeyKind::Rsa);
    let certificate = draft.sign(host, signature).expect("signed");
    let pem = certificate.to_pem().expect("written");
    text_after(later_s, "RSA-SHA256cert", name, &pem)
}

/// Parameters of a group, as files.
pub(super) type Files = Vec<(String, Scheme, KeyText)>;

/// A host and who holds its keys.
pub(super) struct Host {
    pub(super) facts: HostFacts,
    pub(super) worker: Arc<Worker>,
    plan: Option<Plan>,
}

/// What a host's keys are made of.
#[derive(Clone)]
struct Plan {
    name: String,
    kind: Kind,
    key: Option<(Scheme, KeyText, Option<Vec<u8>>)>,
    parameters: Files,
}

impl Plan {
    /// With a host key and a certificate of its own, made so many seconds later.
    fn draft(&self, later_s: u32) -> MaterialDraft {
        let (host, mut draft) = begun(&self.name, later_s);
        let gq_public = self.key.as_ref().and_then(|it| it.2.as_deref());
        let named = (&self.name[..], self.kind);
        draft
            .certificate(&certificate(&host, later_s, named, gq_public))
            .expect("a certificate");
        if let Some((scheme, file, _)) = &self.key {
            draft
                .scheme_key(*scheme, file, Some(PASSWORD))
                .expect("a key");
        }
        for (ident, scheme, file) in &self.parameters {
            draft.parameters(ident, *scheme, file).expect("parameters");
        }
        draft
    }
}

impl Host {
    pub(super) fn new(
        name: &str,
        kind: Kind,
        key: Option<(Scheme, &KeyText, Option<Vec<u8>>)>,
        parameters: &[&Files],
    ) -> Self {
        let plan = Plan {
            name: name.to_owned(),
            kind,
            key: key.map(|(scheme, file, public)| (scheme, file.clone(), public)),
            parameters: parameters.iter().copied().flatten().cloned().collect(),
        };
        Self {
            plan: Some(plan.clone()),
            ..Self::built(plan.draft(0))
        }
    }

    /// Another host key and another certificate, an hour newer, which whoever holds its keys reads.
    pub(super) fn roll(&mut self) {
        let plan = self.plan.as_ref().expect("of no group, or of one");
        let draft = plan.draft(3600);
        let material = draft.build(Generation(2)).expect("it fits");
        self.facts = material.facts().clone();
        self.worker.install(material);
    }

    /// A trusted server of several groups, with each one's key and a certificate under a name of each.
    pub(super) fn of_groups(name: &str, groups: &[(&str, &Group, Scheme)]) -> Self {
        let (host, mut draft) = begun(name, 0);
        for (number, (group, keys, scheme)) in groups.iter().enumerate() {
            let public = keys.gq.public_value();
            let public = (*scheme == Scheme::Gq).then_some(&public[..]);
            let full_name = format!("{name}@{group}");
            let file = certificate(&host, 0, (&full_name, Kind::Trusted), public);
            let taken = if number == 0 {
                draft.certificate(&file)
            } else {
                draft.group_certificate(&file)
            };
            taken.expect("a certificate");
            draft.group(group);
            draft
                .scheme_key(*scheme, &keys.key(*scheme), Some(PASSWORD))
                .expect("a key");
        }
        Self::built(draft)
    }

    fn built(draft: MaterialDraft) -> Self {
        let material = draft.build(Generation(1)).expect("it fits");
        Self {
            facts: material.facts().clone(),
            worker: Arc::new(Worker::new(material)),
            plan: None,
        }
    }
}

/// A host key, and files that begin with it.
fn begun(name: &str, later_s: u32) -> (PrivateKey, MaterialDraft) {
    let host = PrivateKey::generate(KeyKind::Rsa, 1024).expect("a key");
    let pem = host.to_pem(KeyForm::Pkcs8, KeyCipher::Aes256, PASSWORD);
    let host_text = text_after(later_s, "RSAhost", name, &pem.expect("written"));
    let draft = MaterialDraft::of_host(&host_text, Some(PASSWORD)).expect("a key");
    (host, draft)
}

/// The keys of a group.
pub(super) struct Group {
    iff: IffKey,
    gq: GqKey,
    mv: MvAuthority,
    /// How much later than other files its own were made.
    later_s: u32,
}

impl Group {
    pub(super) fn new() -> Self {
        Self::made_later(0)
    }

    pub(super) fn made_later(later_s: u32) -> Self {
        let mut mv = MvAuthority::generate(3, 512).expect("an authority");
        mv.revoke(2).expect("one of three");
        Self {
            iff: IffKey::generate(512).expect("a key"),
            gq: GqKey::generate(512).expect("a key"),
            mv,
            later_s,
        }
    }

    /// A trusted server with the group's key of this scheme.
    pub(super) fn server(&self, name: &str, scheme: Scheme) -> Host {
        self.holder(name, scheme, &[])
    }

    /// The same, that can also tell who else is of the group, as `grp`.
    pub(super) fn peer(&self, name: &str, scheme: Scheme) -> Host {
        self.holder(name, scheme, &[&self.parameters("grp")])
    }

    /// One with the group's key that is client of other groups.
    pub(super) fn holder(&self, name: &str, scheme: Scheme, parameters: &[&Files]) -> Host {
        let public = (scheme == Scheme::Gq).then(|| self.gq.public_value());
        let key = Some((scheme, &self.key(scheme), public));
        Host::new(name, Kind::Trusted, key, parameters)
    }

    fn key(&self, scheme: Scheme) -> KeyText {
        let cipher = KeyCipher::Aes256;
        let (kind, pem) = match scheme {
            Scheme::Iff => ("IFFkey", self.iff.to_pem(cipher, PASSWORD)),
            Scheme::Gq => ("GQkey", self.gq.to_pem(cipher, PASSWORD)),
            Scheme::Mv => ("MVkey", self.mv.server().to_pem(cipher, PASSWORD)),
        };
        text_after(self.later_s, kind, "grp", &pem.expect("written"))
    }

    /// What its clients have.
    pub(super) fn parameters(&self, ident: &str) -> Files {
        let mv = &self.mv.clients()[0];
        [
            (Scheme::Iff, self.iff.parameters().to_pem()),
            (Scheme::Gq, self.gq.parameters().to_pem()),
            (Scheme::Mv, mv.to_pem()),
        ]
        .map(|(scheme, pem)| {
            (
                ident.to_owned(),
                scheme,
                text_after(self.later_s, "par", ident, &pem.expect("written")),
            )
        })
        .into()
    }

    /// What a client has whose MV key was revoked.
    pub(super) fn revoked(&self, ident: &str) -> Files {
        let pem = self.mv.clients()[1].to_pem().expect("written");
        vec![(
            ident.to_owned(),
            Scheme::Mv,
            text_after(self.later_s, "par", ident, &pem),
        )]
    }
}
