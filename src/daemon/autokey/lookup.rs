//! Which files of the key folder are ours: by links whose names follow a rule, or by name where
//! words of ntpd before 4.2.6 give one.
use crate::keygen::folder::{Found, KeyFolder, Problem};
use crate::keygen::password::Passwords;
use crate::paths;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use truechimer_config::Settings;
use truechimer_config::settings::{Autokey, LegacyFile};
use truechimer_crypto::keyfile::{FileName, FileRole};
use truechimer_proto::autokey::status::Scheme;

/// Hosts whose parameters are read because they are here, at most.
const OWNERS_MAX: usize = 64;

/// Where to look, under which names, with which passwords.
pub(crate) struct Lookup<'a> {
    pub(super) said: &'a Autokey,
    folder: KeyFolder,
    /// This host's names in its files, the likeliest first.
    hosts: Vec<String>,
    pub(super) passwords: Passwords,
    /// There are servers that need not prove any group.
    pub(super) has_free: bool,
    /// Groups that servers of ours are to prove they belong to.
    pub(super) groups: BTreeSet<String>,
}

/// The folder of the key files.
pub(crate) fn folder(said: &Autokey) -> PathBuf {
    let named = said.keys_dir.as_ref().map(|it| PathBuf::from(&it.value));
    named.unwrap_or_else(|| PathBuf::from(paths::system_folder()))
}

/// Where ntpd before 4.2.6 had the leap second table: a word of `crypto` named it, or a link.
pub(crate) fn leap_file(said: &Autokey) -> Option<PathBuf> {
    if !said.is_on() {
        return None;
    }
    let folder = folder(said);
    let mut all = said.legacy_files.iter();
    let named = all.find(|(kind, _)| *kind == LegacyFile::LeapSeconds);
    let named = named.map(|(_, file)| folder.join(&file.value));
    named.or_else(|| Some(folder.join("ntpkey_leap")).filter(|link| link.exists()))
}

impl<'a> Lookup<'a> {
    /// On the machine of this name.
    pub(crate) fn new(settings: &'a Settings, machine: &str) -> Self {
        let said = &settings.autokey;
        // `crypto host` may name the group too, as the certificate does.
        let name = said.host.as_deref().unwrap_or(machine);
        let name = name.split_once('@').map_or(name, |(host, _)| host);
        let mut hosts = vec![name.to_owned()];
        if said.host.is_none() {
            hosts.extend(name.split_once('.').map(|(short, _)| short.to_owned()));
        }
        let passwords = match &said.password {
            Some(password) => Passwords::given(password.expose().to_owned()),
            None => Passwords::of_host(machine),
        };
        let lines = settings.associations.iter();
        let groups = lines.filter_map(|it| it.options.ident.clone());
        let groups = groups.chain(said.default_ident.clone());
        let mut free = settings.associations.iter();
        Self {
            has_free: free.any(|it| it.options.autokey && it.options.ident.is_none()),
            said,
            folder: KeyFolder {
                path: folder(said),
                group: None,
            },
            hosts,
            passwords,
            groups: groups.chain(said.idents.first().cloned()).collect(),
        }
    }

    /// This host's file of a role.
    pub(super) fn own(&self, role: FileRole) -> Result<Option<Found>, Problem> {
        let legacy = match role {
            FileRole::Certificate => Some(LegacyFile::Certificate),
            FileRole::Sign => Some(LegacyFile::SignKey),
            _ => None,
        };
        if let Some(found) = legacy.and_then(|which| self.named(which)) {
            return found.map(Some);
        }
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        self.folder.find(role, &hosts)
    }

    /// The certificate of whoever issued ours, if it is here.
    pub(super) fn issuer(&self, name: &str) -> Result<Option<Found>, Problem> {
        if name.contains(['/', '\0']) {
            return Ok(None);
        }
        self.folder.find(FileRole::Certificate, &[name])
    }

    /// This host's certificate under the name that it has in a group.
    pub(super) fn of_group(&self, group: &str) -> Result<Option<Found>, Problem> {
        let names = self.hosts.iter().map(|host| format!("{host}@{group}"));
        let names: Vec<String> = names.collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.folder.find(FileRole::Certificate, &names)
    }

    /// The link that is looked for, for complaints.
    pub(super) fn link(&self, role: FileRole) -> String {
        let host = self.hosts.first().map_or("", String::as_str);
        let path = self.folder.path.join(FileName::generic(role, host));
        path.display().to_string()
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder.path
    }

    /// The groups that this host proves to be of, the main one first; it may have no name.
    pub(super) fn proven(&self) -> impl Iterator<Item = Option<&str>> {
        let named = self.said.idents.iter().map(|it| Some(it.as_str()));
        let nameless = self.said.idents.is_empty().then_some(None);
        nameless.into_iter().chain(named)
    }

    /// The key by which this host proves that it is of a group. ntp-keygen 4.2.8 names the link for the
    /// host, 4.2.5 for the group. What a word of old names is of the main group.
    pub(super) fn server_key(
        &self,
        scheme: Scheme,
        group: Option<&str>,
    ) -> Result<Option<Found>, Problem> {
        let is_main = self.proven().next() == Some(group);
        if let Some(found) = self.legacy(scheme).filter(|_| is_main) {
            let found = found?;
            return Ok(Some(found).filter(|it| self.is_secret(it)));
        }
        let role = match scheme {
            Scheme::Iff => FileRole::IffKey,
            Scheme::Gq => FileRole::GqKey,
            Scheme::Mv => FileRole::MvKey,
        };
        let Some(group) = group else {
            return self.own(role).map(|it| it.filter(|it| self.is_secret(it)));
        };
        if let Some(found) = self.folder.find(role, &[group])? {
            return Ok(Some(found).filter(|it| self.is_secret(it)));
        }
        let of_host = self.own(role)?;
        Ok(of_host.filter(|it| it.owner().as_deref() == Some(group) && self.is_secret(it)))
    }

    /// Whose parameters are here: a server that need not prove a group may be known by its name.
    pub(super) fn owners_of_parameters(&self) -> BTreeSet<String> {
        let names = self.folder.names().unwrap_or_default();
        let links = names.iter().filter_map(|name| FileName::parse(name));
        let links = links.filter(|it| it.filestamp.is_none());
        let of_clients = links.filter(|it| {
            matches!(
                it.role(),
                Some(FileRole::IffParameters | FileRole::GqParameters | FileRole::MvParameters)
            )
        });
        of_clients.map(|it| it.owner).take(OWNERS_MAX).collect()
    }

    /// The parameters by which servers of a group are challenged.
    pub(super) fn parameters(&self, scheme: Scheme, group: &str) -> Result<Option<Found>, Problem> {
        if let Some(found) = self.legacy(scheme) {
            let found = found?;
            if found.owner().as_deref() == Some(group) && !self.is_secret(&found) {
                return Ok(Some(found));
            }
        }
        let (role, older) = match scheme {
            Scheme::Iff => (FileRole::IffParameters, FileRole::IffKey),
            Scheme::Gq => (FileRole::GqParameters, FileRole::GqKey),
            Scheme::Mv => (FileRole::MvParameters, FileRole::MvKey),
        };
        if let Some(found) = self.folder.find(role, &[group])? {
            return Ok(Some(found));
        }
        // Before 4.2.4 one name served for the server's key and for what clients get.
        let older = self.folder.find(older, &[group])?;
        Ok(older.filter(|it| !self.is_secret(it)))
    }

    /// The group of a file that a word of old names for a scheme.
    pub(super) fn legacy_group(&self) -> Option<String> {
        let found = Scheme::ALL
            .into_iter()
            .filter_map(|scheme| self.legacy(scheme));
        let found = found.flatten().find(|it| !self.is_secret(it));
        found.and_then(|it| it.owner())
    }

    fn legacy(&self, scheme: Scheme) -> Option<Result<Found, Problem>> {
        self.named(match scheme {
            Scheme::Iff => LegacyFile::Iff,
            Scheme::Gq => LegacyFile::Gq,
            Scheme::Mv => LegacyFile::Mv,
        })
    }

    fn named(&self, which: LegacyFile) -> Option<Result<Found, Problem>> {
        let mut all = self.said.legacy_files.iter();
        let (_, file) = all.find(|(kind, _)| *kind == which)?;
        Some(self.folder.read(&file.value))
    }

    /// Whether it holds what a server keeps to itself, or cannot be opened, so that trying tells why.
    fn is_secret(&self, found: &Found) -> bool {
        let role = self.passwords.open(|password| found.text.role(password));
        role.map_or(true, FileRole::is_secret)
    }
}
