//! Findings on files that do not go together.
use super::{
    Certificate, FileName, FileRole, Finding, Patient, Repair, Used, keygen, repair_command,
};
use truechimer_crypto::PrivateKey;
use truechimer_crypto::identity::{
    GqKey, GqParameters, IffKey, IffParameters, MvKey, MvParameters,
};
use truechimer_crypto::keyfile::{KeyFileError, KeyText};

/// Server identity keys, which are looked for by group and by host.
const SERVER_KEYS: [FileRole; 4] = [
    FileRole::IffKey,
    FileRole::GqKey,
    FileRole::MvKey,
    FileRole::MvAuthority,
];

pub(super) fn examine(patient: &Patient<'_>, used: &[Used], findings: &mut Vec<Finding>) {
    links(patient, used, findings);
    certificate_and_keys(patient, used, findings);
    groups(patient, used, findings);
    pairs(patient, used, findings);
}

/// 4.2.8 links an identity key by the host's name and looks for it by the group's; 4.2.5 links it
/// by the group's. Both should be there.
fn links(patient: &Patient<'_>, used: &[Used], findings: &mut Vec<Finding>) {
    for file in used {
        let Some(role) = file.role.filter(|role| SERVER_KEYS.contains(role)) else {
            continue;
        };
        let owner = file
            .found
            .owner()
            .unwrap_or_else(|| file.name.owner.clone());
        for wanted in [owner.as_str(), patient.host] {
            let link = FileName::generic(role, wanted);
            let known = findings.iter().any(|finding| finding.file == link);
            if patient.folder.has(&link) || known {
                continue;
            }
            findings.push(Finding {
                what: format!(
                    "missing; a daemon or ntp-keygen that looks for {wanted} finds no key"
                ),
                remedy: repair_command(patient),
                is_error: wanted == owner,
                repair: Some(Repair::Link {
                    link: link.clone(),
                    file: file.found.file.clone(),
                }),
                file: link,
            });
        }
    }
}

fn of<'a>(used: &'a [Used], role: FileRole, owner: &str) -> Option<&'a Used> {
    used.iter()
        .find(|file| file.name.role() == Some(role) && file.name.owner == owner)
}

/// The certificate is of the key that signs, and carries the GQ value in force.
fn certificate_and_keys(patient: &Patient<'_>, used: &[Used], findings: &mut Vec<Finding>) {
    let mut complain = |file: &Used, what: &str, remedy: String| {
        let (file, what) = (file.link.clone(), what.to_owned());
        findings.push(Finding {
            file,
            what,
            remedy,
            is_error: true,
            repair: None,
        });
    };
    let Some(file) = of(used, FileRole::Certificate, patient.host) else {
        return;
    };
    let Ok(certificate) = Certificate::read(&file.found.text) else {
        return;
    };
    let signer = of(used, FileRole::Sign, patient.host).or(of(used, FileRole::Host, patient.host));
    let key = signer.map(|signer| {
        patient
            .passwords
            .open(|password| PrivateKey::read(&signer.found.text, password))
    });
    if key.is_some_and(|key| key.is_ok_and(|key| !certificate.is_of(&key))) {
        complain(
            file,
            "it is of another key than the one that signs",
            keygen(patient, ""),
        );
    }
    let gq = used.iter().find(|file| file.role == Some(FileRole::GqKey));
    let gq = gq.and_then(|gq| {
        patient
            .passwords
            .open(|password| GqKey::read(&gq.found.text, password))
            .ok()
    });
    if gq.is_some_and(|gq| certificate.gq_public().as_deref() != Some(&gq.public_value())) {
        complain(
            file,
            "it does not carry the public value of the GQ key",
            keygen(patient, ""),
        );
    }
}

/// A server whose certificate names a group drops clients whose certificate names none.
fn groups(patient: &Patient<'_>, used: &[Used], findings: &mut Vec<Finding>) {
    let Some(file) = of(used, FileRole::Certificate, patient.host) else {
        return;
    };
    let name = Certificate::read(&file.found.text)
        .ok()
        .and_then(|read| read.name());
    let Some(name) = name.filter(|name| !name.contains('@')) else {
        return;
    };
    let parameters = used
        .iter()
        .filter(|file| file.role == Some(FileRole::IffParameters));
    for group in parameters
        .map(|file| &file.name.owner)
        .filter(|group| **group != name)
    {
        findings.push(Finding {
            file: file.link.clone(),
            what: format!(
                "it names no group, and there are parameters of {group}: if {group} is a group and \
                 not a host, its servers do not answer"
            ),
            remedy: keygen(patient, &format!("-i {group}")),
            is_error: false,
            repair: None,
        });
    }
}

/// What a scheme's server and its clients hold.
const PAIRS: [[FileRole; 2]; 3] = [
    [FileRole::IffKey, FileRole::IffParameters],
    [FileRole::GqKey, FileRole::GqParameters],
    [FileRole::MvKey, FileRole::MvParameters],
];

/// Parameters and server key of one owner must be of one making, and their stamps must fit.
fn pairs(patient: &Patient<'_>, used: &[Used], findings: &mut Vec<Finding>) {
    for [of_server, of_client] in PAIRS {
        for client in used.iter().filter(|file| file.role == Some(of_client)) {
            let Some(server) = of(used, of_server, &client.name.owner) else {
                continue;
            };
            let key = &server.found.text;
            let same = patient
                .passwords
                .open(|password| is_pair(of_server, key, &client.found.text, password));
            let stamps = [client, server].map(|file| file.found.text.filestamp());
            // A key of GQ is renewed while the clients' parameters stay.
            let stamped =
                stamps[0] == stamps[1] || (of_server == FileRole::GqKey && stamps[0] < stamps[1]);
            let what = match same {
                Ok(true) if stamped => continue,
                Ok(true) => {
                    "its filestamp is not that of the server key, so that the daemon refuses the proof"
                }
                Ok(false) if of_server == FileRole::MvKey => {
                    "it is of another server key than the one beside it, or was revoked"
                }
                Ok(false) => "it is of another server key than the one beside it",
                Err(_) => continue,
            };
            findings.push(mismatch(patient, what, [client, server]));
        }
    }
}

/// Clients of MV have a key each, so that theirs cannot be made of the server's.
fn mismatch(patient: &Patient<'_>, what: &str, [client, server]: [&Used; 2]) -> Finding {
    let is_one_for_all = server.name.role() != Some(FileRole::MvKey);
    let again = "-e --client NUMBER >FILE, then: truechimer keys import FILE";
    Finding {
        file: client.link.clone(),
        what: what.to_owned(),
        remedy: match is_one_for_all {
            true => repair_command(patient),
            false => keygen(patient, again),
        },
        is_error: true,
        repair: is_one_for_all.then(|| Repair::RewriteParameters {
            file: client.found.file.clone(),
            key: server.found.file.clone(),
        }),
    }
}

/// Whether a server with that key can prove itself to a client with these parameters.
fn is_pair(
    of_server: FileRole,
    key: &KeyText,
    client: &KeyText,
    password: Option<&[u8]>,
) -> Result<bool, KeyFileError> {
    match of_server {
        FileRole::GqKey => {
            let parameters = GqParameters::read(client)?;
            Ok(GqKey::read(key, password)?.parameters().show() == parameters.show())
        }
        FileRole::MvKey => MvKey::read(key, password)?.admits(&MvParameters::read(client)?),
        _ => {
            let parameters = IffParameters::read(client)?;
            Ok(IffKey::read(key, password)?.parameters().show() == parameters.show())
        }
    }
}
