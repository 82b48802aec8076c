//! MV keys: one for each client, each revocable.
use super::folder::Found;
use super::{Failure, Source, Workshop};
use crate::calendar::ctime;
use truechimer_crypto::identity::{MvAuthority, MvKey};
use truechimer_crypto::keyfile::{FileName, FileRole, heading};

const MV_BITS: u32 = 1024;

impl Workshop<'_> {
    pub(super) fn mv(&mut self) -> Result<(), Failure> {
        let exporting = self.options.export_parameters || self.export.is_some();
        let revoke = self.options.mv_revoke;
        let existing = match self.options.mv_params {
            Some(_) => None,
            None => {
                let needed = revoke.is_some() || self.options.export_parameters;
                self.existing(FileRole::MvAuthority, needed, MvAuthority::read)?
            }
        };
        let (source, authority) = match (existing, self.options.mv_params.or(revoke)) {
            (Some((found, mut authority)), _) => {
                self.say(&format!("Using MV keys {}", found.file));
                let source = Source::of(&found, &self.host)?;
                match revoke {
                    // There it is how many keys are wanted.
                    Some(_) if self.options.vms => self.note(
                        "the MV parameters have their keys already; for more, make new ones: -V NUMBER",
                    ),
                    Some(client) => self.revoke(client, &found, &mut authority)?,
                    None => {}
                }
                (source, authority)
            }
            (None, Some(clients)) => {
                if self.options.mv_params.is_none() {
                    self.note("there are no MV parameters to revoke a key of; they are made, as on OpenVMS");
                }
                let authority = self.new_mv(clients.max(2))?;
                (
                    Source {
                        owner: self.group.clone(),
                        stamp: self.stamp,
                    },
                    authority,
                )
            }
            (None, None) if exporting => return self.export_server_alone(),
            (None, None) => return Ok(()),
        };
        if self.options.export_parameters {
            self.export_client(&source, &authority)?;
        }
        if let Some(password) = self.export_key("MV", "mvkey", &source) {
            let pem = authority
                .server()
                .to_pem(self.cipher, password.as_bytes())?;
            self.export("mvkey", &source, &pem);
        }
        Ok(())
    }

    fn new_mv(&mut self, clients: u32) -> Result<MvAuthority, Failure> {
        let bits = MvAuthority::modulus_bits(clients, self.options.imbits.unwrap_or(MV_BITS));
        self.say(&format!(
            "Generating MV parameters for {clients} keys ({} bits)...",
            bits / clients
        ));
        let authority = MvAuthority::generate(clients, bits)?;
        self.say(&format!(
            "Generating polynomial coefficients for {clients} roots ({} bits)",
            bits - 1
        ));
        self.confirm("prod(gs[i]^(x[j]^i)) = 1 for all i, j", true)?;
        self.warn_of_identity_size("MV", bits);
        let owner = self.group.clone();
        let local = self.passwords.local().to_vec();
        let whole = authority.to_pem(self.cipher, &local)?;
        self.stage("MVta", &owner, FileRole::MvAuthority, &whole);
        self.say("Generating MV trusted-authority keys");
        self.say("Generating MV server keys");
        let server = authority.server().to_pem(self.cipher, &local)?;
        self.stage("MVkey", &owner, FileRole::MvKey, &server);
        self.say(&format!("Generating {clients} MV client keys"));
        for (index, standing) in authority.standing()?.into_iter().enumerate() {
            if !standing {
                self.say(&format!("Revoke key {}", index + 1));
            }
        }
        Ok(authority)
    }

    /// The files keep their names and stamps, because clients compare the stamp with their own.
    fn revoke(
        &mut self,
        client: u32,
        found: &Found,
        authority: &mut MvAuthority,
    ) -> Result<(), Failure> {
        let index = usize::try_from(client).unwrap_or(usize::MAX);
        authority.revoke(index).map_err(|error| {
            Failure::Other(format!(
                "key {client} of {} cannot be revoked: {error}",
                found.file
            ))
        })?;
        self.say(&format!("Revoke key {client}"));
        let kept: Vec<String> = (1..)
            .zip(authority.standing()?)
            .filter(|(_, standing): &(u32, bool)| *standing)
            .map(|(number, _)| number.to_string())
            .collect();
        self.say(&format!("Keys in force: {}", kept.join(" ")));
        let source = Source::of(found, &self.host)?;
        let own = FileName::new("MVta", &source.owner, source.stamp);
        let date = ctime(self.now_unix_s);
        let pem = authority.to_pem(self.cipher, self.passwords.local())?;
        self.staging
            .replace(found.file.clone(), heading(&own, &date) + &pem);
        let name = FileName::new("MVkey", &source.owner, source.stamp);
        let pem = authority
            .server()
            .to_pem(self.cipher, self.passwords.local())?;
        let text = heading(&name, &date) + &pem;
        match self.find(FileRole::MvKey)? {
            Some(server) => self.staging.replace(server.file, text),
            None => {
                let mut links = vec![FileName::generic(FileRole::MvKey, &source.owner)];
                if source.owner != self.host {
                    links.push(FileName::generic(FileRole::MvKey, &self.host));
                }
                self.staging.create(name.to_string(), text, true, links);
            }
        }
        self.note("other servers of the group need the new server key: ntp-keygen -q PASSWORD");
        Ok(())
    }

    fn export_client(&mut self, source: &Source, authority: &MvAuthority) -> Result<(), Failure> {
        let number = self.options.client.unwrap_or(1);
        let index = usize::try_from(number).unwrap_or(usize::MAX) - 1;
        let client = authority.clients().get(index).ok_or_else(|| {
            let count = authority.clients().len();
            Failure::Other(format!("--client {number}: there are {count} keys"))
        })?;
        if !authority.server().admits(client)? {
            return Err(Failure::Other(format!(
                "--client {number}: that key is revoked"
            )));
        }
        self.announce("MV", "mvpar", "parameters", source);
        let pem = client.to_pem()?;
        self.export("mvpar", source, &pem);
        Ok(())
    }

    /// A server that is no trusted authority has its own key only.
    fn export_server_alone(&mut self) -> Result<(), Failure> {
        if self.export.is_none() {
            return Ok(());
        }
        let Some((found, key)) = self.existing(FileRole::MvKey, true, MvKey::read)? else {
            return Ok(());
        };
        self.say(&format!("Using MV keys {}", found.file));
        let source = Source::of(&found, &self.host)?;
        if let Some(password) = self.export_key("MV", "mvkey", &source) {
            self.export(
                "mvkey",
                &source,
                &key.to_pem(self.cipher, password.as_bytes())?,
            );
        }
        Ok(())
    }
}
