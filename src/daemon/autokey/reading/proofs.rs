//! The keys by which this host proves to be of its groups.
use super::{Reader, open};
use crate::keygen::folder::Found;
use core::fmt;
use log::Level;
use truechimer_crypto::autokey::MaterialDraft;
use truechimer_proto::autokey::status::Scheme;

impl Reader<'_> {
    /// Reads the keys of all groups that this host is to prove to be of; whether there is one of the main
    /// group, be it of use or not.
    pub(super) fn server_keys(&mut self, draft: &mut MaterialDraft) -> bool {
        let lookup = self.lookup;
        let mut proves = false;
        let mut known = Vec::new();
        for (number, group) in lookup.proven().enumerate() {
            let mut any = false;
            for scheme in Scheme::ALL {
                any |= self.server_key((scheme, group), draft, &mut known);
            }
            match group {
                Some(group) if any => draft.group(group),
                Some(group) if number > 0 => self.say(Level::Error, self.no_key(group)),
                _ => {}
            }
            proves |= any && number == 0;
        }
        proves
    }

    /// Whether there is one, be it of use or not.
    fn server_key(
        &mut self,
        (scheme, group): (Scheme, Option<&str>),
        draft: &mut MaterialDraft,
        known: &mut Vec<(Scheme, Found)>,
    ) -> bool {
        let found = match self.lookup.server_key(scheme, group) {
            Ok(Some(found)) => found,
            Ok(None) => return false,
            Err(problem) => {
                self.unproven(scheme, &problem);
                return true;
            }
        };
        let stamp = found.text.filestamp();
        let mut of_scheme = known.iter().filter(|it| it.0 == scheme);
        if let Some((_, first)) = of_scheme.find(|it| it.1.text.filestamp() == stamp) {
            if first.text.clean() != found.text.clean() {
                let (first, second) = (first.path.display(), found.path.display());
                let group = group.unwrap_or_default();
                let option = match scheme {
                    Scheme::Iff => "-I",
                    Scheme::Gq => "-G",
                    Scheme::Mv => "-V COUNT",
                };
                self.unproven(scheme, &format!(
                    "{second} is of the same second as {first}, and by that alone a challenge tells its \
                     group; make it anew and hand it out again: ntp-keygen {option} -i {group}"
                ));
            }
            return true;
        }
        let opened = open(self.lookup, &found, |text, password| {
            draft.scheme_key(scheme, text, password)
        });
        match opened {
            Ok(()) => {
                self.note_secret(&found);
                known.push((scheme, found));
            }
            Err(problem) => self.unproven(scheme, &problem),
        }
        true
    }

    fn unproven(&mut self, scheme: Scheme, why: &dyn fmt::Display) {
        let name = scheme.name();
        let text = format!("{why}; nobody can be shown by {name} that this host is of its group");
        self.say(Level::Error, text);
    }

    fn no_key(&self, group: &str) -> String {
        format!(
            "{}: no key of the group {group}, so this host proves to nobody that it is of it; make one: \
             ntp-keygen -I -i {group}, or bring that of another of its servers: truechimer keys import FILE",
            self.lookup.path().display()
        )
    }
}
